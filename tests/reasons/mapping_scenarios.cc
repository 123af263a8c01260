// SPDX-License-Identifier: Apache-2.0
// Memory that is locked as it is mapped: MAP_LOCKED, mlockall(MCL_FUTURE), growth.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "tests/reasons/scenario.h"
#include "tests/reasons/setup.h"

namespace pagewarden {
namespace {

constexpr uint64_t kOverRequest = 128 * kKiB;

std::string Limited(Stage& stage) {
  stage.bytes = kOverRequest;
  SetLimit(kPlainLimit);
  BecomeNobody();
  return "";
}

std::string LimitZero(Stage& stage) {
  stage.bytes = kPage;
  SetLimit(0);
  BecomeNobody();
  return "";
}

long MapLocked(Stage& stage) {
  return syscall(SYS_mmap, nullptr, stage.bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
}

// All later mappings are locked.
std::string Future(Stage& stage) {
  Limited(stage);
  return mlockall(MCL_FUTURE) == 0 ? "" : "mlockall(MCL_FUTURE) failed";
}

long MapPlain(Stage& stage) {
  return syscall(SYS_mmap, nullptr, stage.bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// The kernel's brk returns where the heap ends; libc makes this of it.
long GrowHeap(Stage& stage) {
  const long end = syscall(SYS_brk, 0);
  const long wanted = end + static_cast<long>(stage.bytes);
  if (syscall(SYS_brk, wanted) >= wanted) return 0;
  errno = ENOMEM;
  return -1;
}

std::string LockedPage(Stage& stage) {
  Limited(stage);
  stage.address = Map(kPage);
  return mlock(stage.address, kPage) == 0 ? "" : "locking failed";
}

long Grow(Stage& stage) {
  return syscall(SYS_mremap, stage.address, kPage, stage.bytes, MREMAP_MAYMOVE);
}

// A stack that is locked as far as it goes, under a limit of just that.
std::string LockedStack(Stage&) {
  const Range stack = OwnStack();
  const uint64_t bytes = stack.end - stack.start;
  SetLimit(bytes);
  BecomeNobody();
  const long locked = syscall(SYS_mlock2, stack.start, bytes, 1);
  return locked == 0 ? "" : "locking failed";
}

__attribute__((noinline)) int Descend(int depth) {
  volatile char frame[16 * kKiB];
  memset(const_cast<char*>(frame), depth, sizeof(frame));
  return depth == 0 ? frame[1] : Descend(depth - 1) + frame[2];
}

long GrowStack(Stage&) { return Descend(128); }

std::string SecretMemory(Stage& stage) {
  stage.fd = static_cast<int>(syscall(447, 0));  // memfd_secret, without a header before 5.14
  if (stage.fd < 0) return "no memfd_secret here";
  stage.bytes = kOverRequest;
  if (ftruncate(stage.fd, static_cast<off_t>(stage.bytes)) != 0) return "ftruncate failed";
  SetLimit(kPlainLimit);
  BecomeNobody();
  return "";
}

long MapSecret(Stage& stage) {
  return syscall(SYS_mmap, nullptr, stage.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, stage.fd, 0);
}

// Since 7.2, and the stable kernels of that time, the mapping is not charged.
bool ChargesAtTheFault(Stage& stage) {
  void* const address = mmap(nullptr, stage.bytes, PROT_READ, MAP_SHARED, stage.fd, 0);
  if (address == MAP_FAILED) return false;
  munmap(address, stage.bytes);
  return true;
}

std::string SecretMap(Stage& stage) {
  std::string skip = SecretMemory(stage);
  if (!skip.empty()) return skip;
  return ChargesAtTheFault(stage) ? "this kernel charges memfd_secret at the fault" : "";
}

std::string SecretFault(Stage& stage) {
  std::string skip = SecretMemory(stage);
  if (!skip.empty()) return skip;
  return ChargesAtTheFault(stage) ? "" : "this kernel charges memfd_secret at the mapping";
}

long TouchSecret(Stage& stage) {
  void* const address = reinterpret_cast<void*>(MapSecret(stage));
  memset(address, 1, stage.bytes);
  return 0;
}

std::string Root(Stage& stage) {
  stage.bytes = kOverRequest;
  SetLimit(kPlainLimit);
  return "";
}

}  // namespace

std::vector<Scenario> MappingScenarios() {
  const SeenBy question = SeenBy::kQuestion;
  const char* const future = "FUTURE_OVER_LIMIT";
  return {
      {"map-locked-limit-zero", "mmap", EPERM, 0, "LIMIT_ZERO", question, LimitZero, MapLocked},
      {"map-locked", "mmap", EAGAIN, 0, future, question, Limited, MapLocked},
      {"future-mmap", "mmap", EAGAIN, 0, future, question, Future, MapPlain},
      {"future-brk", "brk", ENOMEM, 0, future, question, Future, GrowHeap},
      {"mremap", "mremap", EAGAIN, 0, future, question, LockedPage, Grow},
      {"stack-growth", "stack growth", 0, SIGSEGV, "STACK_OVER_LIMIT", SeenBy::kSignal, LockedStack,
       GrowStack},
      {"secret-map", "mmap of memfd_secret", EAGAIN, 0, future, question, SecretMap, MapSecret},
      {"secret-fault", "page fault in memfd_secret", 0, SIGBUS, "SECRET_UID_BUDGET",
       SeenBy::kSignal, SecretFault, TouchSecret},
      {"bypass-map-locked", "mmap", 0, 0, "PRIVILEGED_BYPASS", question, Root, MapLocked},
  };
}

}  // namespace pagewarden
