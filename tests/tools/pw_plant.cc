// SPDX-License-Identifier: Apache-2.0
// pw-plant PLACE FILE…: puts the bytes of each file at one place in its memory,
// prints "ready" and sleeps for two minutes. The bytes go there straight from
// read(2): there is no second copy. Nothing else here may touch them.
//
// heap, stack; locked (mlock, DONTDUMP); dumpable (mlock only); hidden
// (PROT_NONE); partial (heap, the first 8 bytes overwritten); border (across
// two mappings of which only the second is locked); guarded (behind a guard
// page in the same mapping); past-end (in a file mapping that is longer than
// its file); secretmem (memfd_secret(2)).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr size_t kPage = 4096;
constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, since Linux 6.13
constexpr size_t kMaxSecret = 2048;
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
  if (strcmp(place, "hidden") == 0) {
    if (mprotect(pages, 2 * kPage, PROT_NONE) != 0) Fail("mprotect");
    return;
  }
  Lock(pages, 2 * kPage);
  if (strcmp(place, "dumpable") == 0) return;
  if (madvise(pages, 2 * kPage, MADV_DONTDUMP) != 0) Fail("madvise");
}

void Plant(const char* place, const char* path) {
  if (strcmp(place, "past-end") == 0) {
    ReadInto(MapFile(memfd_create("short", MFD_CLOEXEC)), path);
    return;
  }
  if (strcmp(place, "secretmem") == 0) {
    ReadInto(MapFile(static_cast<int>(syscall(SYS_memfd_secret, 0))), path);
    return;
  }
  if (strcmp(place, "heap") != 0 && strcmp(place, "partial") != 0) {
    PlantInMapping(place, path);
    return;
  }
  void* const block = malloc(kMaxSecret);
  if (block == nullptr) Fail("malloc");
  ReadInto(block, path);
  if (strcmp(place, "partial") == 0) memset(block, 0xee, 8);
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
