// SPDX-License-Identifier: Apache-2.0
// The books of this C library's malloc, read in a child that waits.
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "agent/proc/mappings.h"
#include "agent/proc/memory.h"
#include "agent/proof/elf_data.h"
#include "agent/proof/glibc_heap.h"
#include "agent/proof/remote_words.h"

namespace pagewarden {
namespace {

constexpr int kMaxBlocks = 64;
constexpr size_t kSmall = 72;    // goes to the thread's cache, and then to a fast bin
constexpr size_t kLarge = 5000;  // goes to the unsorted bin
constexpr int kCacheDepth = 7;   // glibc.malloc.tcache_count

// What the child tells.
struct Shared {
  std::atomic<bool> ready;
  std::atomic<int> count;
  struct {
    void* address;
    bool freed;
  } blocks[kMaxBlocks];
};

class Child {
 public:
  explicit Child(void (*allocate)(Shared&)) {
    void* pages =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared_ = new (pages) Shared();
    pid_ = fork();
    if (pid_ == 0) {
      allocate(*shared_);
      shared_->ready = true;
      for (;;) pause();
    }
    while (!shared_->ready) usleep(1000);
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    munmap(shared_, sizeof(Shared));
  }

  const Shared& shared() const { return *shared_; }

  GlibcHeaps Walk() const {
    const auto mappings = ReadMappings(pid_);
    const auto memory = ProcessMemory::Open(pid_);
    EXPECT_TRUE(mappings.ok() && memory.ok());
    RemoteWords words(
        [&](uint64_t at, void* to, size_t bytes) { return memory->Read(at, to, bytes); });
    return GlibcHeaps::Walk(*mappings, FindElfData(*mappings, words), words);
  }

 private:
  Shared* shared_;
  pid_t pid_;
};

void Tell(Shared& shared, void* block, bool freed) {
  shared.blocks[shared.count++] = {block, freed};
}

void FreeAll(Shared& shared, const std::vector<void*>& blocks) {
  for (void* const block : blocks) free(block);
  for (void* const block : blocks) Tell(shared, block, true);
}

// Each kind of free block: in the cache, in a fast bin, in the unsorted bin, and
// in the rest of the heap. A live one stands after each.
void AllocateEveryKind(Shared& shared) {
  std::vector<void*> small;
  for (int i = 0; i < 2 * kCacheDepth; ++i) small.push_back(malloc(kSmall));
  void* const live_small = malloc(kSmall);
  void* const large = malloc(kLarge);
  void* const live_large = malloc(kLarge);
  void* const last = malloc(kLarge);
  FreeAll(shared, small);
  FreeAll(shared, {large, last});
  Tell(shared, live_small, false);
  Tell(shared, live_large, false);
}

void* AllocateInThread(void* shared) {
  AllocateEveryKind(*static_cast<Shared*>(shared));
  static_cast<Shared*>(shared)->ready = true;
  for (;;) pause();
}

void StartThread(Shared& shared) {
  pthread_t thread;
  pthread_create(&thread, nullptr, AllocateInThread, &shared);
  while (!shared.ready) usleep(1000);
}

void ExpectToldApart(const Child& child) {
  const GlibcHeaps heaps = child.Walk();
  ASSERT_GT(child.shared().count, 2 * kCacheDepth);
  for (int i = 0; i < child.shared().count; ++i) {
    const auto& block = child.shared().blocks[i];
    const auto address = reinterpret_cast<uint64_t>(block.address);
    EXPECT_TRUE(heaps.Contains(address)) << i;
    for (const uint64_t offset : {uint64_t{0}, uint64_t{16}, uint64_t{kSmall - 1}}) {
      EXPECT_EQ(heaps.At(address + offset), block.freed ? ChunkState::kFreed : ChunkState::kLive)
          << i << " + " << offset;
    }
  }
}

TEST(GlibcHeapTest, MainArena) { ExpectToldApart(Child(AllocateEveryKind)); }

TEST(GlibcHeapTest, ThreadArena) { ExpectToldApart(Child(StartThread)); }

// More than one heap of 64 MiB: the older ones end in fence posts.
TEST(GlibcHeapTest, ThreadArenaOfSeveralHeaps) {
  const Child child([](Shared& shared) {
    pthread_t thread;
    const auto work = [](void* argument) -> void* {
      auto& told = *static_cast<Shared*>(argument);
      AllocateEveryKind(told);
      for (int i = 0; i < 1200; ++i) {
        if (malloc(100000) == nullptr) _exit(1);
      }
      AllocateEveryKind(told);
      told.ready = true;
      for (;;) pause();
    };
    pthread_create(&thread, nullptr, work, &shared);
    while (!shared.ready) usleep(1000);
  });
  const GlibcHeaps heaps = child.Walk();
  for (int i = 0; i < child.shared().count; ++i) {
    const auto& block = child.shared().blocks[i];
    // Freed blocks of the first round may be in use again; live ones stay so.
    if (block.freed) continue;
    EXPECT_EQ(heaps.At(reinterpret_cast<uint64_t>(block.address)), ChunkState::kLive) << i;
  }
}

// Where the books are broken, nothing is claimed.
TEST(GlibcHeapTest, BrokenBooksAreNotBelieved) {
  const Child child([](Shared& shared) {
    char* const block = static_cast<char*>(malloc(kLarge));
    void* const live = malloc(kLarge);
    memset(block + malloc_usable_size(block), 0xee, 8);  // over the next one's size
    Tell(shared, live, false);
  });
  const GlibcHeaps heaps = child.Walk();
  const auto address = reinterpret_cast<uint64_t>(child.shared().blocks[0].address);
  EXPECT_TRUE(heaps.Contains(address));
  EXPECT_EQ(heaps.At(address), ChunkState::kUnknown);
}

TEST(GlibcHeapTest, OtherMemoryIsNoHeap) {
  const Child child([](Shared& shared) {
    Tell(shared, mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), false);
  });
  const GlibcHeaps heaps = child.Walk();
  EXPECT_FALSE(heaps.Contains(reinterpret_cast<uint64_t>(child.shared().blocks[0].address)));
  EXPECT_FALSE(heaps.Contains(0));
  EXPECT_EQ(heaps.At(0), ChunkState::kUnknown);
}

}  // namespace
}  // namespace pagewarden
