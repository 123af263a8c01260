// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/guarded_process.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "agent/proc/mappings.h"
#include "agent/proof/openssl_memory.h"

namespace pagewarden {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kStackBytes = 1 << 20;
constexpr size_t kHeapBytes = 1 << 20;
// For SecretBytes: a window of 256 KiB, the needles, a file.
constexpr size_t kReservedBytes = 2 << 20;
constexpr rlim_t kEnoughBytes = 8 << 20;
constexpr int kLargestThreshold = 32 << 20;  // malloc's own limit

// What it starts inherits the limit: no more than is needed.
rlim_t RaiseLockLimit() {
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnoughBytes));
  setrlimit(RLIMIT_MEMLOCK, &limit);
  getrlimit(RLIMIT_MEMLOCK, &limit);
  return limit.rlim_cur;
}

bool CanLock(size_t bytes) {
  void* const pages =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return false;
  const bool can = mlock2(pages, bytes, MLOCK_ONFAULT) == 0;
  munmap(pages, bytes);
  return can;
}

// What is allocated next comes from one heap, which is large enough already.
void GrowHeap() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, kLargestThreshold);
  mallopt(M_TRIM_THRESHOLD, kLargestThreshold);
  mallopt(M_TOP_PAD, kHeapBytes);
  void* const block = malloc(kHeapBytes);
  memset(block, 0, block == nullptr ? 0 : 1);  // or the compiler would leave both calls out
  free(block);
}

void GuardRest(bool lock) {
  const auto mappings = ReadMappings(getpid());
  if (!mappings.ok()) return;
  for (const Mapping& mapping : *mappings) {
    if (!mapping.writable || mapping.shared) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): from /proc
    void* const start = reinterpret_cast<void*>(mapping.start);
    madvise(start, mapping.end - mapping.start, MADV_DONTDUMP);
    if (lock) mlock2(start, mapping.end - mapping.start, MLOCK_ONFAULT);
  }
}

// Whole pages, with one below that nothing may touch.
class GuardedStack {
 public:
  GuardedStack() {
    void* const pages = mmap(nullptr, kPageBytes + kStackBytes, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return;
    pages_ = static_cast<unsigned char*>(pages);
    is_usable_ = mprotect(start(), kStackBytes, PROT_READ | PROT_WRITE) == 0 &&
                 madvise(start(), kStackBytes, MADV_DONTDUMP) == 0;
    mlock(start(), kStackBytes);  // GuardProcess has told whether it can
  }
  GuardedStack(const GuardedStack&) = delete;
  GuardedStack& operator=(const GuardedStack&) = delete;
  ~GuardedStack() {
    if (is_usable_) OPENSSL_cleanse(start(), kStackBytes);
    if (pages_ != nullptr) munmap(pages_, kPageBytes + kStackBytes);
  }

  bool is_usable() const { return is_usable_; }
  unsigned char* start() const { return pages_ + kPageBytes; }

 private:
  unsigned char* pages_ = nullptr;
  bool is_usable_ = false;
};

struct ThreadWork {
  const std::function<void()>& work;
  sigset_t signals;
};

void* RunWork(void* argument) {
  const auto* const thread = static_cast<const ThreadWork*>(argument);
  pthread_sigmask(SIG_SETMASK, &thread->signals, nullptr);
  thread->work();
  return nullptr;
}

}  // namespace

absl::Status GuardProcess() {
  prctl(PR_SET_DUMPABLE, 0);
  const rlim_t limit = RaiseLockLimit();
  const bool is_openssl_guarded = ProtectOpenSslMemory();
  GrowHeap();
  const bool has_room = CanLock(kStackBytes + kReservedBytes);
  GuardRest(has_room && CanLock(kStackBytes + kReservedBytes + 2 * kHeapBytes));
  if (is_openssl_guarded && has_room) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("memory for secrets cannot be locked: RLIMIT_MEMLOCK is ", limit >> 10,
                   " KiB, and ", kEnoughBytes >> 10, " KiB are enough"));
}

absl::Status OnGuardedStack(const std::function<void()>& work) {
  const GuardedStack stack;
  if (!stack.is_usable()) return absl::ResourceExhaustedError("no memory for a stack");
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  absl::Cleanup destroy = [&attributes] { pthread_attr_destroy(&attributes); };
  pthread_attr_setstack(&attributes, stack.start(), kStackBytes);
  ThreadWork thread_work = {work, {}};
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &thread_work.signals);
  absl::Cleanup restore = [&] { pthread_sigmask(SIG_SETMASK, &thread_work.signals, nullptr); };
  pthread_t thread = {};
  const int error = pthread_create(&thread, &attributes, RunWork, &thread_work);
  if (error != 0) return absl::ResourceExhaustedError(strerror(error));
  pthread_join(thread, nullptr);
  return absl::OkStatus();
}

}  // namespace pagewarden
