// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/bpf_error.h"

#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

int PrintNothing(libbpf_print_level, const char*, va_list) { return 0; }

}  // namespace

absl::Status BpfError(int error, absl::string_view what) {
  absl::string_view hint;
  if (error == EPERM || error == EACCES) hint = ": needs CAP_BPF and CAP_PERFMON, or root";
  if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    hint = ": /sys/kernel/btf/vmlinux is missing or not readable (CONFIG_DEBUG_INFO_BTF)";
  }
  const absl::Status status = absl::ErrnoToStatus(error, what);
  return absl::Status(status.code(), absl::StrCat(status.message(), hint));
}

void SilenceLibbpf() { libbpf_set_print(PrintNothing); }

}  // namespace pagewarden
