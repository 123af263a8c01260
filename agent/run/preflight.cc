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

#include "agent/base/unique_fd.h"
#include "agent/doctor/shim_findings.h"
#include "agent/run/elf_summary.h"
#include "agent/run/secure_exec.h"

namespace pagewarden {
namespace {

std::optional<Finding> OfElf(const ElfSummary& elf, const std::string& executable) {
  if (!elf.is_host_machine) return OtherMachineFinding(executable, elf);
  if (!elf.has_interpreter) return StaticFinding(executable, elf);
  return std::nullopt;
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

std::vector<Finding> CheckPreloadable(const std::string& executable) {
  std::vector<Finding> findings;
  const UniqueFd fd(open(executable.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return findings;  // executable but not readable: nothing to go by
  const absl::StatusOr<ElfSummary> elf = ReadElfSummary(fd.get());
  if (elf.ok()) {
    std::optional<Finding> finding = OfElf(*elf, executable);
    if (finding) findings.push_back(*std::move(finding));
  }
  const std::string reason = SecureExecReason(ReadFilePrivileges(fd.get()), ReadCallerIdentity());
  if (!reason.empty()) findings.push_back(SecureExecutionFinding(executable, reason));
  return findings;
}

std::optional<Finding> CheckMemlock(const std::string& executable, const MemlockNeed& need,
                                    const MemlockLimits& limits, bool can_exceed) {
  const uint64_t needed = need.bytes_at_start;
  if (can_exceed || !limits.hard.has_value() || *limits.hard >= needed) return std::nullopt;
  return PolicyLimitFinding(executable, needed, need.may_grow, limits);
}

std::optional<Finding> CheckSecretMemory(const AllocationPolicy& policy) {
  const Arena* arena = FindSecretArena(policy);
  if (arena == nullptr) return std::nullopt;
  if (prctl(PR_GET_SECCOMP) != 0) return std::nullopt;  // asking might be what it kills for
  const UniqueFd fd(static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC)));
  if (fd.ok() || errno != ENOSYS) return std::nullopt;
  return SecretMemoryFinding(arena->name, arena->backing.size() > 1);
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
