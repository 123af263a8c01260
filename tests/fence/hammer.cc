// SPDX-License-Identifier: Apache-2.0
// Two threads allocate, resize, free for each other, and fork, for some seconds:
//
//   fence_hammer SECONDS
//
// Every block is filled with a pattern that is checked before it goes. At the
// end nothing may be live, and the books must balance to the byte.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>

#include "preload/base/ledger.h"
#include "tests/fence/test_fence.h"

namespace pagewarden {
namespace {

constexpr int kThreads = 2;
constexpr size_t kPlaces = 512;

struct Block {
  unsigned char* at;
  size_t bytes;
};

// Blocks change hands here: whoever takes one out owns it.
std::atomic<Block*> places[kPlaces];
std::atomic<bool> failed{false};
std::atomic<uint64_t> operations{0};

void Fail(const char* what) {
  if (!failed.exchange(true)) fprintf(stderr, "FAILED: %s\n", what);
}

unsigned char PatternOf(const Block& block) {
  return static_cast<unsigned char>(reinterpret_cast<uint64_t>(block.at) >> 4 | 1);
}

void Fill(const Block& block) { memset(block.at, PatternOf(block), block.bytes); }

void Check(const Block& block) {
  for (size_t i = 0; i < block.bytes; ++i)
    if (block.at[i] != PatternOf(block)) return Fail("a block changed under its owner");
}

size_t RandomSize(std::mt19937& random) {
  const uint32_t kind = random() % 100;
  return kind < 80 ? random() % 256 : kind < 99 ? random() % 3000 : random() % 40'000;
}

Block* Allocate(Arena& arena, std::mt19937& random) {
  const size_t bytes = RandomSize(random);
  const size_t alignment = random() % 16 == 0 ? 256 : 16;
  auto* at = static_cast<unsigned char*>(arena.Allocate(bytes, alignment, random() % kTestTags));
  if (at == nullptr) return nullptr;  // full: legal
  for (size_t i = 0; i < bytes; ++i)
    if (at[i] != 0) Fail("fresh memory is not zero");
  auto* block = new Block{at, bytes};
  Fill(*block);
  return block;
}

void Free(Arena& arena, Block* block) {
  Check(*block);
  arena.Free(block->at);
  delete block;
}

void Resize(Arena& arena, Block& block, size_t bytes) {
  Check(block);
  if (arena.ResizeInPlace(block.at, bytes, false)) {
    block.bytes = bytes;
    Fill(block);
  }
}

void ForkOnce(Arena& arena) {
  const pid_t child = fork();
  if (child == 0) {
    void* block = arena.Allocate(64, 16, 0);
    if (block != nullptr) arena.Free(block);
    _exit(arena.is_locked() ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
    Fail("a child could not allocate, or is not locked");
}

void Hammer(Arena& arena, unsigned seed, std::chrono::steady_clock::time_point end, bool forks) {
  std::mt19937 random(seed);
  for (uint64_t i = 0; std::chrono::steady_clock::now() < end && !failed; ++i) {
    for (int burst = 0; burst < 200; ++burst) {
      Block* mine = random() % 2 == 0 ? Allocate(arena, random) : nullptr;
      if (mine != nullptr && random() % 4 == 0) Resize(arena, *mine, RandomSize(random));
      Block* other = places[random() % kPlaces].exchange(mine);
      if (other != nullptr) Free(arena, other);
    }
    operations += 200;
    if (forks && i % 50 == 0) ForkOnce(arena);
  }
}

bool BooksBalance() {
  bool good = true;
  for (uint32_t tag = 0; tag < kTestTags; ++tag) {
    const abi::LedgerBook sum = fence.books.Sum(tag);
    printf("tag %u: %llu allocations, %llu frees, %llu bytes in, %llu bytes out, peak %llu\n", tag,
           static_cast<unsigned long long>(sum.allocations),
           static_cast<unsigned long long>(sum.frees),
           static_cast<unsigned long long>(sum.bytes_in),
           static_cast<unsigned long long>(sum.bytes_out),
           static_cast<unsigned long long>(fence.books.tag(tag).peak_bytes));
    good &= sum.allocations != 0 && sum.allocations == sum.frees && sum.bytes_in == sum.bytes_out;
  }
  return good;
}

int Run(int seconds) {
  Arena& arena = OpenTestFence(TestPolicy());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::thread threads[kThreads];
  for (unsigned i = 0; i < kThreads; ++i)
    threads[i] = std::thread([&arena, i, end] { Hammer(arena, i + 1, end, i == 0); });
  for (std::thread& thread : threads) thread.join();
  for (std::atomic<Block*>& place : places)
    if (Block* block = place.exchange(nullptr)) Free(arena, block);
  printf("%llu operations\n", static_cast<unsigned long long>(operations.load()));
  if (!BooksBalance()) Fail("the books do not balance");
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace pagewarden

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: fence_hammer SECONDS\n");
    return 2;
  }
  return pagewarden::Run(atoi(argv[1]));
}
