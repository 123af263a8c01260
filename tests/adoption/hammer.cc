// SPDX-License-Identifier: Apache-2.0
// Threads allocate in extents, from callers and beside files that rules name, resize, free
// for each other, change their names and fork, while policies change as fast as can be:
//
//   adoption_hammer SECONDS
//
// Each round is a process of its own, since one can see only so many policies. At its end the
// last policy must be in force, nothing may be live, and the books must balance.
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>

#include "preload/base/ledger.h"
#include "preload/fence/fence.h"
#include "preload/rules/files.h"
#include "preload/rules/scopes.h"
#include "preload/rules/thread_names.h"
#include "tests/adoption/hooked.h"
#include "tests/adoption/policies.h"
#include "tests/adoption/shim.h"

namespace pagewarden {
namespace {

using Clock = std::chrono::steady_clock;
using Random = std::mt19937;

constexpr int kThreads = 3;
constexpr int kImages = 80;
constexpr size_t kPlaces = 64;
constexpr auto kRound = std::chrono::milliseconds(1500);

struct Block {
  unsigned char* at;
  size_t bytes;
};

// Blocks change hands here: whoever takes one out owns it.
std::atomic<Block*> places[kPlaces];
std::atomic<bool> failed{false};
std::atomic<bool> ended{false};

void Fail(const char* what) {
  if (!failed.exchange(true)) fprintf(stderr, "FAILED: %s\n", what);
}

unsigned char PatternOf(const Block& block) { return static_cast<unsigned char>(block.bytes | 1); }

Block* Fill(void* at, size_t bytes) {
  if (at == nullptr) return nullptr;  // a policy that says Fail, or that is full: legal
  auto* block = new Block{static_cast<unsigned char*>(at), bytes};
  memset(block->at, PatternOf(*block), bytes);
  return block;
}

void Discard(Block* block) {
  if (block == nullptr) return;
  for (size_t i = 0; i < block->bytes; ++i)
    if (block->at[i] != PatternOf(*block)) Fail("a block changed under its owner");
  Free(block->at);
  delete block;
}

Block* Resize(Block* block, size_t bytes) {
  void* at = Realloc(block->at, bytes);
  if (at == nullptr) return block;
  const size_t kept = std::min(bytes, block->bytes);
  for (size_t i = 0; i < kept; ++i)
    if (static_cast<unsigned char*>(at)[i] != PatternOf(*block)) Fail("resized, and not copied");
  delete block;
  return Fill(at, bytes);
}

void ExchangeSome(Random& random, void* (*allocate)(size_t)) {
  for (int i = 0; i < 6; ++i) {
    const size_t bytes = random() % 100 < 95 ? random() % 500 + 1 : random() % 9000 + 1;
    Block* mine = Fill(allocate(bytes), bytes);
    if (mine != nullptr && random() % 4 == 0) mine = Resize(mine, random() % 700 + 1);
    Discard(places[random() % kPlaces].exchange(mine));
  }
}

void* MallocByCaller(size_t bytes) { return live_caller(Malloc, bytes); }
void InExtent(void* random) { ExchangeSome(*static_cast<Random*>(random), Malloc); }
void InTwoExtents(void* random) { hooked_second(InExtent, random); }

void BesideFile(Random& random, const std::string& secret) {
  const int fd = OpenForReading(secret);
  if (fd < 0) return Fail("the secret file is gone");
  if (MayBeSecretFile(secret.c_str())) NoticeOpened(secret.c_str(), fd);
  ExchangeSome(random, Malloc);
  NoticeClosing(fd);
  close(fd);
}

void Rename(Random& random) {
  const char* const names[] = {"worker", "renamed", "nobody"};
  pthread_setname_np(pthread_self(), names[random() % 3]);
  NoticeRenamed();
}

void ForkOnce() {
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 20; ++i) {
      const auto body = [](void*) { Free(MallocByCaller(64)); };
      hooked_first(body, nullptr);
    }
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
    Fail("a child could not go on");
}

void Work(unsigned seed, const std::string& secret) {
  Random random(seed);
  for (uint64_t i = 0; !ended && !failed; ++i) {
    hooked_first(InExtent, &random);
    ExchangeSome(random, Malloc);
    hooked_first(InTwoExtents, &random);
    ExchangeSome(random, MallocByCaller);
    if (i % 8 == 0) BesideFile(random, secret);
    if (i % 16 == seed) Rename(random);
    if (seed == 1 && i % 64 == 0) ForkOnce();
  }
}

void CheckBooks() {
  for (uint32_t row = 0; row < fence.books.tag_count(); ++row) {
    const abi::LedgerBook sum = fence.books.Sum(row);
    if (sum.allocations != sum.frees || sum.bytes_in != sum.bytes_out)
      Fail("the books do not balance");
  }
}

void CheckFenced(void* block, bool wanted, const char* what) {
  if (IsFenced(block) != wanted) Fail(what);
  Free(block);
}

void CheckLastPolicy(uint32_t generation, const std::string& secret) {
  Free(Malloc(64));
  if (ledger.generation != generation) Fail("the last policy is not in force");
  if (ledger.images_refused != 0) Fail("a good image was refused");
  if (ArenaCount() != 4) Fail("an arena of a later policy has not come");
  if (ledger.follows != abi::Follows::kLiveImage) Fail("it follows no more");
  if (ledger.rule_count != 3 || ledger.rules_waiting != 0) Fail("the rules are not the last ones");
  CheckFenced(MallocByCaller(64), true, "a caller of the last policy is not fenced");
  CheckFenced(Malloc(64), false, "what no rule names is fenced");
  hooked_second(
      [](void*) { CheckFenced(Malloc(64), false, "an extent of a removed rule is fenced"); },
      nullptr);
  hooked_first(
      [](void*) { CheckFenced(Malloc(64), true, "an extent of the last policy is not fenced"); },
      nullptr);
  const int fd = OpenForReading(secret);
  NoticeOpened(secret.c_str(), fd);
  CheckFenced(Malloc(64), true, "what is made beside a secret file is not fenced");
  NoticeClosing(fd);
  close(fd);
  CheckFenced(Malloc(64), false, "what is made after a secret file is fenced");
}

// Most policies are gone before everybody has seen them, some are used for a while.
void Pause(Random& random) {
  if (random() % 8 == 0)
    return std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
  for (uint32_t turns = random() % 3000; turns > 0; --turns) __builtin_ia32_pause();
}

// In a process of its own.
int Round(const LiveFile& file, const std::string& secret, unsigned seed) {
  StartFollowing(file.path);
  FlippingPublisher publisher(file);
  std::thread threads[kThreads];
  for (unsigned i = 0; i < kThreads; ++i) threads[i] = std::thread(Work, i + 1, secret);
  Random random(seed);
  uint64_t flips = 0;
  for (const auto end = Clock::now() + kRound; Clock::now() < end && !failed; ++flips) {
    publisher.Publish(random() % file.places.size());
    Pause(random);
  }
  const uint32_t generation = publisher.Publish(file.places.size() - 1);
  ended = true;
  for (std::thread& thread : threads) thread.join();
  for (std::atomic<Block*>& place : places) Discard(place.exchange(nullptr));
  CheckLastPolicy(generation, secret);
  CheckBooks();
  uint64_t fenced = 0;
  for (uint32_t row = 0; row < fence.books.tag_count(); ++row)
    fenced += fence.books.Sum(row).allocations;
  printf("%llu flips, %llu fenced allocations\n", static_cast<unsigned long long>(flips),
         static_cast<unsigned long long>(fenced));
  if (flips < 100 || fenced < 100) Fail("too little has happened");
  return failed ? 1 : 0;
}

bool RunRound(const std::string& folder, unsigned seed) {
  const std::string secret = folder + "/key" + kSecretSuffix;
  const LiveFile file = WriteLiveFile(folder + "/policy.image", MakeImages(seed, kImages));
  WriteEmptyFile(secret);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const int result = Round(file, secret, seed);
    fflush(stdout);
    _exit(result);
  }
  int status = 0;
  const bool good = child > 0 && waitpid(child, &status, 0) == child && status == 0;
  if (!good)
    fprintf(stderr, "round %u ended with status %#x\n", seed, static_cast<unsigned>(status));
  unlink(secret.c_str());
  unlink(file.path.c_str());
  return good;
}

int Run(int seconds) {
  char folder[] = "/tmp/pagewarden-adoption-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  bool good = true;
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  for (unsigned seed = 1; good && Clock::now() < end; ++seed) good = RunRound(folder, seed);
  rmdir(folder);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace pagewarden

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: adoption_hammer SECONDS\n");
    return 2;
  }
  return pagewarden::Run(atoi(argv[1]));
}
