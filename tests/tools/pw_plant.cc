// SPDX-License-Identifier: Apache-2.0
// pw-plant PLACE FILE…: puts the bytes of each file at one place in its memory,
// prints "ready" and sleeps for two minutes. The bytes go there straight from
// read(2): there is no second copy. Nothing else here may touch them.
//
// heap, stack, thread (a thread's stack), bss, mmap, shared (anonymous), file (a
// mapping of FILE itself); freed (a block that was freed since); arena (a block
// of kArenaBlock bytes, which the test's policy fences); locked (mlock, DONTDUMP);
// dumpable (mlock only); hidden (PROT_NONE); partial (heap, the first 8 bytes
// overwritten); border (across two mappings of which only the second is locked);
// guarded (behind a guard page in the same mapping); past-end (in a file mapping
// that is longer than its file); secretmem (memfd_secret(2)); bulk (behind
// kBulk bytes of other data: to search it takes a while).
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

constexpr size_t kPage = 4096;
constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, since Linux 6.13
constexpr size_t kMaxSecret = 2048;
constexpr size_t kArenaBlock = 3000;
constexpr size_t kBulk = size_t{384} << 20;
constexpr unsigned kLifetimeSeconds = 120;  // no test leaves one behind for long

[[noreturn]] void Fail(const char* what) {
  perror(what);
  exit(1);
}

size_t ReadInto(void* place, const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail(path);
  const ssize_t bytes = read(fd, place, kMaxSecret);
  if (bytes < 0) Fail(path);
  close(fd);
  return static_cast<size_t>(bytes);
}

char* Map() {
  void* pages =
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) Fail("mmap");
  return static_cast<char*>(pages);
}

void Lock(char* pages, size_t bytes) {
  if (mlock(pages, bytes) != 0) Fail("mlock");
}

char* MapFile(int fd) {
  if (fd < 0 || ftruncate(fd, kPage) != 0) Fail("memfd");
  void* pages = mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (pages == MAP_FAILED) Fail("mmap");
  return static_cast<char*>(pages);
}

char bss[kMaxSecret];

struct ThreadPlan {
  const char* path;
  int done;  // written to when the secret is in place
};

[[noreturn]] void* PlantInThread(void* plan_pointer) {
  const ThreadPlan plan = *static_cast<ThreadPlan*>(plan_pointer);
  char stack[kMaxSecret];
  ReadInto(stack, plan.path);
  if (write(plan.done, "", 1) != 1) Fail("write");
  for (;;) pause();
}

void StartThread(const char* path) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Fail("pipe2");
  ThreadPlan plan = {path, ends[1]};
  pthread_t thread;
  if (pthread_create(&thread, nullptr, PlantInThread, &plan) != 0) Fail("pthread_create");
  char byte;
  if (read(ends[0], &byte, 1) != 1) Fail("read");
}

void PlantInFreedBlock(const char* path) {
  struct stat status;
  if (stat(path, &status) != 0) Fail(path);
  void* const block = malloc(static_cast<size_t>(status.st_size));
  void* const neighbour = malloc(1);  // or a large block would go back to the rest of the heap
  if (block == nullptr || neighbour == nullptr) Fail("malloc");
  ReadInto(block, path);
  free(block);
}

void PlantInSharedMemory(const char* path) {
  void* pages = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) Fail("mmap");
  ReadInto(pages, path);
}

void MapItself(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED) Fail(path);
  close(fd);
}

void PlantInMapping(const char* place, const char* path) {
  char* const pages = Map();
  if (strcmp(place, "border") == 0) {
    Lock(pages + kPage, kPage);
    ReadInto(pages + kPage - 40, path);
    return;
  }
  if (strcmp(place, "guarded") == 0) {
    if (madvise(pages, kPage, kGuardInstall) != 0) Fail("MADV_GUARD_INSTALL");
    ReadInto(pages + kPage, path);
    return;
  }
  ReadInto(pages + 100, path);
  if (strcmp(place, "mmap") == 0) return;
  if (strcmp(place, "hidden") == 0) {
    if (mprotect(pages, 2 * kPage, PROT_NONE) != 0) Fail("mprotect");
    return;
  }
  Lock(pages, 2 * kPage);
  if (strcmp(place, "dumpable") == 0) return;
  if (madvise(pages, 2 * kPage, MADV_DONTDUMP) != 0) Fail("madvise");
}

void PlantInBlock(const char* place, const char* path) {
  const bool in_arena = strcmp(place, "arena") == 0;
  void* const block = malloc(in_arena ? kArenaBlock : kMaxSecret);
  if (block == nullptr) Fail("malloc");
  ReadInto(block, path);
  if (strcmp(place, "partial") == 0) memset(block, 0xee, 8);
}

void PlantPastEnd(const char* path) { ReadInto(MapFile(memfd_create("short", MFD_CLOEXEC)), path); }

void PlantInSecretMemory(const char* path) {
  ReadInto(MapFile(static_cast<int>(syscall(SYS_memfd_secret, 0))), path);
}

void PlantBehindBulk(const char* path) {
  void* pages =
      mmap(nullptr, kBulk + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) Fail("mmap");
  memset(pages, 0xee, kBulk);
  ReadInto(static_cast<char*>(pages) + kBulk, path);
}

void PlantInBss(const char* path) { ReadInto(bss, path); }

struct Place {
  const char* name;
  void (*plant)(const char* path);
};
constexpr Place kPlaces[] = {{"bss", PlantInBss},
                             {"bulk", PlantBehindBulk},
                             {"file", MapItself},
                             {"freed", PlantInFreedBlock},
                             {"past-end", PlantPastEnd},
                             {"secretmem", PlantInSecretMemory},
                             {"shared", PlantInSharedMemory},
                             {"thread", StartThread}};

void Plant(const char* place, const char* path) {
  for (const Place& known : kPlaces) {
    if (strcmp(place, known.name) == 0) return known.plant(path);
  }
  for (const char* block : {"heap", "partial", "arena"}) {
    if (strcmp(place, block) == 0) return PlantInBlock(place, path);
  }
  PlantInMapping(place, path);
}

}  // namespace

int main(int argc, char** argv) {
  char stack[kMaxSecret];
  memset(stack, 0, sizeof(stack));
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "stack") == 0) {
      ReadInto(stack, argv[i + 1]);
    } else {
      Plant(argv[i], argv[i + 1]);
    }
  }
  alarm(kLifetimeSeconds);
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) Fail("write");
  pause();
  return stack[0];
}
