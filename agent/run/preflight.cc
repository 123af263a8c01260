// SPDX-License-Identifier: Apache-2.0
#include "agent/run/preflight.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/base/unique_fd.h"
#include "agent/run/elf_summary.h"
#include "agent/run/secure_exec.h"

namespace pagewarden {
namespace {

std::string ElfWarning(const ElfSummary& elf, const std::string& executable) {
  if (!elf.is_host_machine) {
    return absl::StrCat("PW009: ", executable, " is for another machine (",
                        elf.is_64_bit ? "64" : "32",
                        " bit): the loader will refuse the shim, and nothing is fenced");
  }
  if (elf.has_interpreter) return "";
  return absl::StrCat("PW010: ", executable, " is a static ", elf.is_go ? "Go " : "",
                      "executable: nothing can be preloaded into it, and nothing is fenced");
}

// The first arena that prefers secret memory, or wants nothing else.
const Arena* FindSecretArena(const AllocationPolicy& policy) {
  const std::vector<Arena>& arenas = policy.spec.arenas;
  const auto found = std::find_if(arenas.begin(), arenas.end(), [](const Arena& arena) {
    return arena.backing.front() == abi::Backing::kSecretMemory;
  });
  return found == arenas.end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> CheckPreloadable(const std::string& executable) {
  std::vector<std::string> warnings;
  const UniqueFd fd(open(executable.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return warnings;  // executable but not readable: nothing to go by
  const absl::StatusOr<ElfSummary> elf = ReadElfSummary(fd.get());
  if (elf.ok()) {
    std::string warning = ElfWarning(*elf, executable);
    if (!warning.empty()) warnings.push_back(std::move(warning));
  }
  const std::string reason = SecureExecReason(ReadFilePrivileges(fd.get()), ReadCallerIdentity());
  if (!reason.empty()) {
    warnings.push_back(absl::StrCat("PW007: ", executable, " runs in secure-execution mode, as ",
                                    reason,
                                    ": the loader ignores LD_PRELOAD, and nothing is fenced"));
  }
  return warnings;
}

std::string CheckMemlock(const MemlockNeed& need, const MemlockLimits& limits, bool can_exceed) {
  const uint64_t needed = need.bytes_at_start;
  if (can_exceed || !limits.hard.has_value() || *limits.hard >= needed) return "";
  const uint64_t needed_kib = (needed + 1023) / 1024;
  return absl::StrFormat(
      "PW003: the policy locks %s %u bytes (%u KiB) in each process, but the hard limit "
      "RLIMIT_MEMLOCK is %u bytes (%u KiB): what does not fit stays unlocked%s. "
      "Raise it to at least %u KiB: `ulimit -H -l %u` as root, or LimitMEMLOCK=%uK in the unit",
      need.may_grow ? "at its start" : "up to", needed, needed_kib, *limits.hard,
      *limits.hard / 1024, need.may_grow ? ", and growth stops at the limit" : "", needed_kib,
      needed_kib, needed_kib);
}

std::string CheckSecretMemory(const AllocationPolicy& policy) {
  const Arena* arena = FindSecretArena(policy);
  if (arena == nullptr) return "";
  const char* const instead = arena->backing.size() > 1 ? "it is locked anonymous memory instead"
                                                        : "it stays unlocked";
  if (prctl(PR_GET_SECCOMP) != 0) return "";  // asking might be what the filter kills for
  const UniqueFd fd(static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC)));
  if (fd.ok() || errno != ENOSYS) return "";
  return absl::StrCat("PW017: the arena ", arena->name, " asks for SecretMemory, but this kernel ",
                      "does not offer it (memfd_secret(2): ", strerror(errno), "): ", instead,
                      ". Boot it with secretmem.enable=1, if it is 5.14 or later");
}

bool WillHaveUsableIpcLock() {
  const absl::StatusOr<ProcessStatus> self = ReadStatus(getpid());
  const absl::StatusOr<bool> initial = InInitialUserNamespace(getpid());
  if (!self.ok() || !initial.ok() || !*initial) return false;
  if ((self->cap_effective & (uint64_t{1} << CAP_IPC_LOCK)) == 0) return false;
  // Of other users, execve keeps ambient capabilities only (capabilities(7)).
  return geteuid() == 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_IPC_LOCK, 0, 0) == 1;
}

void RaiseMemlockLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_MEMLOCK, &limit);
}

}  // namespace pagewarden
