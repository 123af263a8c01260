// SPDX-License-Identifier: Apache-2.0
// mlock, mlock2, mlockall.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "tests/reasons/scenario.h"
#include "tests/reasons/setup.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace pagewarden {
namespace {

constexpr uint64_t kOverRequest = 128 * kKiB;

long Mlock(Stage& stage) { return mlock(stage.address, stage.bytes); }
long MlockallCurrent(Stage&) { return mlockall(MCL_CURRENT); }

// Nobody, under `soft` and `hard`, about to lock `bytes`.
std::string Prepare(Stage& stage, uint64_t soft, uint64_t hard, uint64_t bytes) {
  stage.bytes = bytes;
  stage.address = Map(bytes);
  SetLimit(soft, hard);
  BecomeNobody();
  return "";
}

std::string Seccomp(Stage& stage) {
  Prepare(stage, kPlainLimit, kPlainLimit, kPage);
  RefuseBySeccomp(SYS_mlock, EPERM);
  return "";
}

std::string OverLimit(Stage& stage) {
  return Prepare(stage, kPlainLimit, kPlainLimit, kOverRequest);
}

std::string UserNamespace(Stage& stage) {
  stage.bytes = kOverRequest;
  stage.address = Map(stage.bytes);
  SetLimit(kPlainLimit);
  return EnterUserNamespace() ? "" : "no user namespaces here";
}

std::string NotEffective(Stage& stage) {
  stage.bytes = kOverRequest;
  stage.address = Map(stage.bytes);
  SetLimit(kPlainLimit);
  DropIpcLock(false);
  return "";
}

// Locked, moved away by MREMAP_DONTUNMAP, unmapped: nothing is locked any more.
std::string Drift(Stage& stage) {
  SetLimit(kMiB);
  BecomeNobody();
  constexpr uint64_t kRound = 64 * kKiB;
  for (int i = 0; i < 11; ++i) {
    void* const from = Map(kRound);
    if (mlock(from, kRound) != 0) return "locking failed";
    // Not through glibc, which leaves the new address to chance.
    const long to = syscall(SYS_mremap, from, kRound, kRound, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    if (to == -1) return "no MREMAP_DONTUNMAP here";
    munmap(from, kRound);
    munmap(reinterpret_cast<void*>(to), kRound);
  }
  if (OwnLockedBytes() == 0) return "this kernel does not leak VmLck";
  SetLimit(kPlainLimit);
  stage.bytes = kRound;
  stage.address = Map(kRound);
  return "";
}

// 2 MiB of hugetlb that is neither reserved nor touched: no huge page is needed.
std::string Hugetlb(Stage& stage) {
  stage.bytes = 2 * kMiB;
  stage.address = Map(stage.bytes, 3, MAP_HUGETLB | MAP_NORESERVE);
  if (stage.address == nullptr) return "no hugetlb here";
  SetLimit(kPlainLimit);
  BecomeNobody();
  return "";
}

std::string Hole(Stage& stage) {
  Prepare(stage, kPlainLimit, kPlainLimit, 3 * kPage);
  munmap(static_cast<char*>(stage.address) + kPage, kPage);
  return "";
}

std::string ProtNone(Stage& stage) {
  Prepare(stage, kPlainLimit, kPlainLimit, 3 * kPage);
  mprotect(static_cast<char*>(stage.address) + kPage, kPage, PROT_NONE);
  return "";
}

std::string Guard(Stage& stage) {
  Prepare(stage, kPlainLimit, kPlainLimit, 3 * kPage);
  if (madvise(static_cast<char*>(stage.address) + kPage, kPage, MADV_GUARD_INSTALL) != 0) {
    return "no MADV_GUARD_INSTALL here";
  }
  return "";
}

std::string PastEof(Stage& stage) {
  stage.fd = memfd_create("reasons", MFD_CLOEXEC);
  if (ftruncate(stage.fd, kPage) != 0) return "no memfd here";
  stage.bytes = 2 * kPage;
  stage.address = mmap(nullptr, stage.bytes, PROT_READ, MAP_SHARED, stage.fd, 0);
  SetLimit(kPlainLimit);
  BecomeNobody();
  return "";
}

// Every other page read-only, until no mapping can be split any more: a lock in the
// middle of the rest would split it.
std::string ManyMappings(Stage& stage) {
  constexpr uint64_t kPages = 140000;
  Prepare(stage, kPlainLimit, kPlainLimit, kPages * kPage);
  char* const start = static_cast<char*>(stage.address);
  stage.bytes = kPage;
  for (uint64_t i = 1; i + 16 < kPages; i += 2) {
    if (mprotect(start + i * kPage, kPage, PROT_READ) == 0) continue;
    stage.address = start + (i + 8) * kPage;
    return errno == ENOMEM ? "" : "mprotect failed otherwise";
  }
  return "vm.max_map_count is above what this makes";
}
long MlockOnFault(Stage& stage) { return syscall(SYS_mlock2, stage.address, stage.bytes, 1); }

std::string BadFlags(Stage& stage) { return Prepare(stage, kPlainLimit, kPlainLimit, kPage); }
long Mlock2BadFlags(Stage& stage) { return syscall(SYS_mlock2, stage.address, stage.bytes, 0x100); }

// Over half of the address space is hugetlb, which mlockall skips without a word.
std::string Partial(Stage&) {
  const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0) return "no CAP_SYS_RESOURCE to lift the limit";
  if (Map(8192 * kMiB, 3, MAP_HUGETLB | MAP_NORESERVE) == nullptr) return "no hugetlb here";
  return "";
}
long MlockallOnFault(Stage&) { return mlockall(MCL_CURRENT | MCL_ONFAULT); }

// Root, over a limit that does not bind it.
std::string Bypass(Stage& stage) {
  stage.bytes = kOverRequest;
  stage.address = Map(stage.bytes);
  SetLimit(kPlainLimit);
  return "";
}

// In the page cache of a memory cgroup that is full and may not kill.
std::string MemoryCgroup(Stage& stage) {
  stage.bytes = 8 * kMiB;
  stage.address = Map(stage.bytes);
  std::string refused = EnterFullMemoryCgroup(4 * kMiB);
  SetLimit(8 * kMiB);
  BecomeNobody();
  return refused;
}

}  // namespace

std::vector<Scenario> MlockScenarios() {
  const auto limit_zero = [](Stage& stage) { return Prepare(stage, 0, 0, kPage); };
  const auto soft_below_hard = [](Stage& stage) {
    return Prepare(stage, kPlainLimit, kMiB, kOverRequest);
  };
  const auto below_page = [](Stage& stage) { return Prepare(stage, 4095, 4095, kPage); };
  const auto unit = [](Stage& stage) { return Prepare(stage, 65536, 65536, kMiB); };
  const SeenBy question = SeenBy::kQuestion, result = SeenBy::kResult;
  return {
      {"seccomp", "mlock", EPERM, 0, "SECCOMP", SeenBy::kSystemCall, Seccomp, Mlock},
      {"limit-zero", "mlock", EPERM, 0, "LIMIT_ZERO", question, limit_zero, Mlock},
      {"over-limit", "mlock", ENOMEM, 0, "OVER_LIMIT", question, OverLimit, Mlock},
      {"over-limit-on-fault", "mlock2", ENOMEM, 0, "OVER_LIMIT", question, OverLimit, MlockOnFault},
      {"soft-below-hard", "mlock", ENOMEM, 0, "OVER_LIMIT.SOFT_BELOW_HARD", question,
       soft_below_hard, Mlock},
      {"cap-in-user-ns", "mlock", ENOMEM, 0, "OVER_LIMIT.CAP_IN_USER_NS", question, UserNamespace,
       Mlock},
      {"cap-not-effective", "mlock", ENOMEM, 0, "OVER_LIMIT.CAP_NOT_EFFECTIVE", question,
       NotEffective, Mlock},
      {"limit-below-page", "mlock", ENOMEM, 0, "OVER_LIMIT.LIMIT_BELOW_PAGE", question, below_page,
       Mlock},
      {"drift", "mlock", ENOMEM, 0, "OVER_LIMIT.DRIFT", question, Drift, Mlock},
      {"unit", "mlock", ENOMEM, 0, "OVER_LIMIT.UNIT", question, unit, Mlock},
      {"mlockall-vsz", "mlockall", ENOMEM, 0, "OVER_LIMIT_VSZ", question, OverLimit,
       MlockallCurrent},
      {"hugetlb-length", "mlock", ENOMEM, 0, "HUGETLB_LEN", question, Hugetlb, Mlock},
      {"hole", "mlock", ENOMEM, 0, "HOLE", result, Hole, Mlock},
      {"prot-none", "mlock", ENOMEM, 0, "UNPOPULATABLE", result, ProtNone, Mlock},
      {"guard-page", "mlock", ENOMEM, 0, "UNPOPULATABLE", result, Guard, Mlock},
      {"past-end-of-file", "mlock", ENOMEM, 0, "UNPOPULATABLE", result, PastEof, Mlock},
      {"map-count", "mlock2", ENOMEM, 0, "VMA_LIMIT", result, ManyMappings, MlockOnFault},
      {"memory-cgroup", "mlock", EAGAIN, 0, "NO_MEMORY", result, MemoryCgroup, Mlock},
      {"bad-flags", "mlock2", EINVAL, 0, "ARGS", result, BadFlags, Mlock2BadFlags},
      {"bypass", "mlock", 0, 0, "PRIVILEGED_BYPASS", question, Bypass, Mlock},
      {"bypass-mlockall", "mlockall", 0, 0, "PRIVILEGED_BYPASS", question, Bypass, MlockallCurrent},
      {"partial", "mlockall", 0, 0, "PARTIAL", result, Partial, MlockallOnFault},
  };
}

}  // namespace pagewarden
