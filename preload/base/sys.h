// SPDX-License-Identifier: Apache-2.0
// Every system call the shim can make, without libc and without errno. Results
// are the kernel's: negative errno on failure. All but futex, the mmap of an
// arena that may grow, what pins ask for (pins.h), and the ones behind Die happen
// only at start and around fork: sandboxes kill a process for a late mlock
// (seccomp(2); OpenSSH's filter has none).
#pragma once

#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __x86_64__
#error "the shim's assembly and system calls are written for x86-64"
#endif

#ifndef MADV_DONTDUMP
#define MADV_DONTDUMP 16
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MADV_DONTFORK
#define MADV_DONTFORK 10
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef __NR_memfd_secret
#define __NR_memfd_secret 447
#endif
inline constexpr int kProtNone = 0, kProtRead = 1, kProtWrite = 2;

namespace pagewarden::sys {

inline long Call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

inline long Arg(const volatile void* p) { return reinterpret_cast<long>(p); }

inline bool Failed(long result) { return result < 0 && result > -4096; }

inline long Open(const char* path) {
  return Call(__NR_openat, AT_FDCWD, Arg(path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
}
inline long Close(long fd) { return Call(__NR_close, fd); }
inline long Read(long fd, void* to, size_t bytes) { return Call(__NR_read, fd, Arg(to), bytes); }
inline long Write(long fd, const void* from, size_t bytes) {
  return Call(__NR_write, fd, Arg(from), bytes);
}
inline long FStat(long fd, void* stat) { return Call(__NR_fstat, fd, Arg(stat)); }
inline long ReadLink(const char* path, char* to, size_t bytes) {
  return Call(__NR_readlinkat, AT_FDCWD, Arg(path), Arg(to), bytes);
}
inline long MapFile(long fd, size_t bytes) {
  return Call(__NR_mmap, 0, bytes, kProtRead, MAP_SHARED, fd, 0);
}
// Address space only: nothing is charged but RLIMIT_AS.
inline long Reserve(size_t bytes) {
  return Call(__NR_mmap, 0, bytes, kProtNone, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}
// The same, over a part of what was reserved before.
inline long ReserveAt(const void* at, size_t bytes) {
  return Call(__NR_mmap, Arg(at), bytes, kProtNone,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}
// The same where nothing is mapped, else an error.
inline long ReserveAtHole(const void* at, size_t bytes) {
  constexpr long kNoReplace = 0x100000;  // MAP_FIXED_NOREPLACE, Linux 4.17
  return Call(__NR_mmap, Arg(at), bytes, kProtNone,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | kNoReplace, -1, 0);
}
// Zeroed, at `at` in place of what is there.
inline long MapAt(const void* at, size_t bytes) {
  return Call(__NR_mmap, Arg(at), bytes, kProtRead | kProtWrite,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
// Zeroed, anywhere.
inline long Map(size_t bytes) {
  return Call(__NR_mmap, 0, bytes, kProtRead | kProtWrite, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
// Locked, and populated if accessible; anywhere when `at` is null.
inline long MapLocked(const void* at, size_t bytes, int protection) {
  return Call(__NR_mmap, Arg(at), bytes, protection,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | (at != nullptr ? MAP_FIXED : 0), -1, 0);
}
inline long MapShared(const void* at, size_t bytes, long fd) {
  return Call(__NR_mmap, Arg(at), bytes, kProtRead | kProtWrite, MAP_SHARED | MAP_FIXED, fd, 0);
}
inline long Move(const void* from, size_t bytes, const void* to) {
  constexpr long kMayMove = 1, kFixed = 2;
  return Call(__NR_mremap, Arg(from), bytes, bytes, kMayMove | kFixed, Arg(to));
}
// May move.
inline long Enlarge(const void* at, size_t bytes, size_t wanted) {
  constexpr long kMayMove = 1;
  return Call(__NR_mremap, Arg(at), bytes, wanted, kMayMove);
}
inline long SecretMemory() { return Call(__NR_memfd_secret, O_CLOEXEC); }
inline long Truncate(long fd, size_t bytes) { return Call(__NR_ftruncate, fd, bytes); }
inline long Unmap(const void* at, size_t bytes) { return Call(__NR_munmap, Arg(at), bytes); }
inline long Protect(const void* at, size_t bytes, int protection) {
  return Call(__NR_mprotect, Arg(at), bytes, protection);
}
inline long Advise(const void* at, size_t bytes, int advice) {
  return Call(__NR_madvise, Arg(at), bytes, advice);
}
// Locks pages as they are touched, so that a fork child does not copy them all.
inline long LockOnFault(const void* at, size_t bytes) {
  const long result = Call(__NR_mlock2, Arg(at), bytes, MLOCK_ONFAULT);
  constexpr long kNoSystemCall = -38;  // before Linux 4.4
  return result == kNoSystemCall ? Call(__NR_mlock, Arg(at), bytes) : result;
}
inline long Unlock(const void* at, size_t bytes) {
  return Call(__NR_munlock, Arg(at), bytes);
}
// Asks without a fault: a wait that ends at once, for a word that is there.
inline bool IsReadable(uint64_t address) {
  constexpr long kFault = -14;
  constexpr int64_t kNoTime[2] = {0, 0};
  return Call(__NR_futex, static_cast<long>(address & ~uint64_t{7}), 128 /* FUTEX_WAIT_PRIVATE */, 0,
              Arg(kNoTime)) != kFault;
}
// Whether there is a mapping, accessible or not.
inline bool IsMapped(uint64_t page) {
  unsigned char resident;
  return !Failed(Call(__NR_mincore, static_cast<long>(page), 1, Arg(&resident)));
}
inline long GetRandom(void* to, size_t bytes) { return Call(__NR_getrandom, Arg(to), bytes, 0); }
// 16 bytes, with a NUL.
inline long ThreadName(char* to) {
  constexpr long kGetName = 16;  // PR_GET_NAME
  return Call(__NR_prctl, kGetName, Arg(to));
}
// A set of signals is a word, a bit for each.
inline long SetSignalMask(const uint64_t* mask, uint64_t* before) {
  constexpr long kSet = 2;  // SIG_SETMASK
  return Call(__NR_rt_sigprocmask, kSet, Arg(mask), Arg(before), sizeof(*mask));
}
inline long GetPid() { return Call(__NR_getpid); }
inline long EffectiveUid() { return Call(__NR_geteuid); }
inline bool IdsDiffer() {
  return Call(__NR_getuid) != Call(__NR_geteuid) || Call(__NR_getgid) != Call(__NR_getegid);
}

}  // namespace pagewarden::sys
