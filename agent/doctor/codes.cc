// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/codes.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pagewarden {
namespace {

using Code = FindingCode;
constexpr Severity kInfo = Severity::kInfo;
constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kError = Severity::kError;

// clang-format off
const CodeEntry kCodes[] = {
    {Code::kLockingForbidden, kError, "locking is forbidden: EPERM",
     "RLIMIT_MEMLOCK is 0, and no CAP_IPC_LOCK counts",
     "raise the limit, where the process gets it from"},
    {Code::kSoftLimit, kWarning, "the soft limit is too low, the hard one is not",
     "the process may raise its soft limit to the hard one by itself; Pagewarden's `run` and shim do",
     "raise the soft limit with prlimit(1)"},
    {Code::kHardLimit, kError, "the hard limit is too low: ENOMEM",
     "VmLck plus the request is more than RLIMIT_MEMLOCK, which counts for each process, and no CAP_IPC_LOCK counts",
     "raise the limit, where the process gets it from"},
    {Code::kCapInUserNamespace, kError, "CAP_IPC_LOCK is effective, and the limit binds all the same",
     "the kernel asks the initial user namespace for CAP_IPC_LOCK, and this one is of another (user_namespaces(7))",
     "raise the limit from outside; no capability can help"},
    {Code::kCapNotEffective, kError, "CAP_IPC_LOCK was given, and is not effective",
     "of a user other than root, execve keeps ambient capabilities only (capabilities(7))",
     "make it ambient, or raise the limit"},
    {Code::kExecRefused, kError, "the program cannot be executed: EPERM",
     "the file has an effective CAP_IPC_LOCK that the bounding set lacks (capabilities(7))",
     "take the capability off the file, or let the container have it"},
    {Code::kSecureExecution, kError, "the loader ignores the shim, and says nothing",
     "the file is setuid, setgid or has capabilities, so the loader is in secure-execution mode (ld.so(8))",
     "take the capability off the file and make it ambient; or install the shim for such programs"},
    {Code::kSecureExecutionNoNewPrivs, kError, "neither file capability nor shim",
     "no_new_privs drops the capabilities of the file, and the loader's secure-execution mode stays",
     "take the capability off the file"},
    {Code::kShimNotLoadable, kError, "the loader cannot map the shim",
     "the library is for another machine, is missing in the process's mount namespace, or lies on a noexec mount",
     "install it below /usr/lib, and into the container"},
    {Code::kStaticProgram, kError, "nothing can be preloaded into the program",
     "it is static: no loader runs that could",
     "no swap for its cgroup, encrypted swap, no core dumps"},
    {Code::kPageInFailed, kError, "pages could not be had: EAGAIN",
     "the memory cgroup or the host ran out of memory while the range was read in (mm/mlock.c)",
     "more memory for the cgroup; try again later"},
    {Code::kRangeNotPopulated, kError, "the range has a hole or pages that cannot be read in: ENOMEM",
     "nothing is mapped there, or it is PROT_NONE, a guard, or past the file's end; what could be was locked and is charged",
     "lock the data only: the program's own fault"},
    {Code::kMapCount, kError, "too many mappings: ENOMEM",
     "each lock or guard splits mappings, and a process may have vm.max_map_count of them",
     "raise vm.max_map_count"},
    {Code::kMemoryCgroup, kError, "the memory cgroup is too small for it",
     "locked pages are charged to the cgroup and cannot be reclaimed: the OOM killer ends the process",
     "raise the memory limit of the cgroup"},
    {Code::kSeccompErrno, kError, "a seccomp filter refuses the call: EPERM, whatever the limit",
     "the filter does not list mlock, mlock2, mlockall",
     "add @memlock to the filter"},
    {Code::kSeccompKill, kError, "a seccomp filter kills for the call: SIGSYS",
     "the filter does not list it, and its action is to kill",
     "add @memlock to the filter before the shim is used"},
    {Code::kNoSecretMemory, kInfo, "memfd_secret(2) is not there: ENOSYS",
     "the kernel is older than 5.14, was built without it, or was booted without secretmem.enable=1 (needed before 6.5)",
     "boot parameter secretmem.enable=1, or `backing: [LockedAnonymous]`"},
    {Code::kAppArmor, kError, "AppArmor denies CAP_IPC_LOCK",
     "the profile does not name it, so the limit binds although the capability is effective",
     "`capability ipc_lock,` in the profile, or raise the limit"},
    {Code::kSelinux, kError, "SELinux denies CAP_IPC_LOCK",
     "the policy does not allow it to the domain, so the limit binds although the capability is effective",
     "allow the domain ipc_lock, or raise the limit"},
    {Code::kNotInherited, kWarning, "the parent's memory is locked, the child's is not",
     "locks are not inherited by fork (mlock(2))",
     "`onFork: Relock`; count the arenas once for each process"},
    {Code::kFutureLocks, kError, "all of the address space is locked, and the limit is near: EAGAIN, or SIGSEGV of the stack",
     "after mlockall(MCL_FUTURE) each later mapping, thread stack and heap growth counts in full, untouched pages too",
     "raise the limit; MCL_ONFAULT does not help"},
    {Code::kPurgedRange, kWarning, "madvise(MADV_DONTNEED) of a locked range: EINVAL",
     "an allocator gives back pages that are locked",
     "leave its arenas unlocked, or pin them by a policy: the shim answers such calls"},
    {Code::kOtherCounters, kError, "refused although VmLck is low",
     "SHM_LOCK, io_uring, perf, AF_XDP, BPF (up to 5.10) and RDMA are counted elsewhere, mostly for the whole user",
     "raise the limit of that user's processes, or give the service a user of its own"},
    {Code::kLimitsConfIgnored, kWarning, "limits.conf says more than the process has",
     "PAM applies it to new login sessions only: not to services, containers, or sessions older than the change",
     "drop-in for the unit, or log in again"},
    {Code::kUnlimited, kInfo, "no limit on locked memory",
     "any of these processes can pin all of the host's memory",
     "set a limit with headroom"},
    {Code::kNoSwap, kInfo, "no swap, no hibernation",
     "nothing writes memory to a disk but core dumps; locking guards against swap that is added later",
     "nothing to do"},
    {Code::kPlainSwap, kWarning, "swap that is not encrypted",
     "memory that is not locked comes to lie on the disk in clear, and stays there after the process has ended",
     "encrypt the swap area, or go without"},
    {Code::kHibernation, kWarning, "hibernation writes all memory to the disk, locked memory too",
     "mlock does not keep pages out of the hibernation image; only memfd_secret refuses hibernation while in use",
     "boot with nohibernate, or resume from encrypted swap"},
    {Code::kCoreDumps, kWarning, "core dumps take memory to the disk",
     "a dump holds all memory that is not excluded, locked or not; a handler that is piped to ignores RLIMIT_CORE",
     "`coreDump: Exclude` (the shim's default), and no dumps for programs it cannot fence"},
    {Code::kSuidDumpable, kWarning, "programs that changed their user dump core readably",
     "fs.suid_dumpable is 1 (proc(5)): meant for debugging only",
     "sysctl fs.suid_dumpable=0"},
    {Code::kUnitMixUp, kWarning, "the limit looks like KiB written where bytes are meant",
     "ulimit -l and limits.conf count KiB; systemd, Docker, Podman, LXD, prlimit and /proc count bytes: 1/1024 comes of it",
     "write the number in bytes"},
    {Code::kDrift, kError, "VmLck counts memory that is not locked any more",
     "mremap(MREMAP_DONTUNMAP) of locked memory leaks the counter on kernels 6.16 to 7.1, and the limit is compared with it",
     "start the process again; a kernel with the fix"},
    {Code::kPrivilegedBypass, kInfo, "more is locked than the limit allows, by CAP_IPC_LOCK",
     "the capability lifts the limit: the program breaks on the day that it loses it",
     "raise the limit to what it uses, and drop the capability"},
    {Code::kAddressSpace, kError, "mlockall: the whole address space is more than the limit: ENOMEM",
     "mlockall(MCL_CURRENT) compares VmSize, not what is resident, with RLIMIT_MEMLOCK",
     "raise the limit beyond VmSize, or lock less than all"},
    {Code::kSecretMemoryBudget, kError, "touching secret memory ends in SIGBUS",
     "newer kernels charge memfd_secret to the user at the fault, and no capability lifts that",
     "raise the limit, or `backing: [LockedAnonymous]`"},
    {Code::kNotOwner, kError, "shmctl(SHM_LOCK) by neither owner nor creator: EPERM",
     "the segment belongs to another user",
     "lock it as its owner, or in the process that made it"},
    {Code::kPartialLock, kWarning, "mlockall succeeded, and most of the address space is not locked",
     "the kernel ignores errors of single mappings in mlockall (mm/mlock.c)",
     "lock what matters by mlock2, and look at its result"},
    {Code::kCompressedSwap, kInfo, "swap that is compressed in memory",
     "zram and zswap keep copies of pages in memory; with a backing device or a swap area behind, on the disk, too",
     "no backing device for zram, encrypted swap behind zswap"},
    {Code::kBadCall, kWarning, "the call itself is wrong, or was interrupted: EINVAL, EINTR",
     "flags or range are not valid, or a signal ended the wait for the address space",
     "the program's own fault"},
    {Code::kHugetlb, kError, "huge pages: their length is compared with the limit, though they lock nothing",
     "mlock and MAP_LOCKED compare before they look what is mapped; shmget(SHM_HUGETLB) asks for CAP_IPC_LOCK or vm.hugetlb_shm_group",
     "do not lock huge pages: they are never swapped; or raise the limit"},
    {Code::kUnexplained, kWarning, "refused, and no known cause explains it",
     "the facts were read after the call, or the kernel has a cause of its own",
     "look at the numbers given, and at the kernel's log"},
};
// clang-format on

}  // namespace

const std::vector<CodeEntry>& AllCodes() {
  static const std::vector<CodeEntry>& codes =
      *new std::vector<CodeEntry>(std::begin(kCodes), std::end(kCodes));
  return codes;
}

const CodeEntry& EntryOf(FindingCode code) { return kCodes[static_cast<size_t>(code) - 1]; }

std::string CodeName(FindingCode code) { return absl::StrFormat("PW%03d", static_cast<int>(code)); }

std::string CodesAsMarkdown() {
  std::string table =
      "| code | severity | what is seen | why | what to do |\n|---|---|---|---|---|\n";
  for (const CodeEntry& entry : kCodes) {
    absl::StrAppend(&table, "| ", CodeName(entry.code), " | ", SeverityName(entry.severity), " | ",
                    entry.title, " | ", entry.why, " | ", entry.fix, " |\n");
  }
  return table;
}

}  // namespace pagewarden
