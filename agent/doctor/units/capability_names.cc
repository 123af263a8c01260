// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "agent/doctor/units/unit_settings.h"

namespace pagewarden {
namespace {

// By number (linux/capability.h).
constexpr const char* kNames[] = {
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
};

}  // namespace

uint64_t ParseCapabilities(absl::string_view names) {
  uint64_t mask = 0;
  for (absl::string_view word : absl::StrSplit(names, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    if (absl::StartsWithIgnoreCase(word, "cap_")) word.remove_prefix(4);
    for (size_t i = 0; i < std::size(kNames); ++i) {
      if (absl::EqualsIgnoreCase(word, kNames[i])) mask |= uint64_t{1} << i;
    }
  }
  return mask;
}

}  // namespace pagewarden
