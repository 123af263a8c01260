// SPDX-License-Identifier: Apache-2.0
// Allocates and frees, for steady_test.py to look at.
//
//   pairs malloc|new|tagged COUNT   so many pairs of 64 bytes
//   pairs steady COUNT              tagged malloc, realloc, free, between two getppid(2)
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" void tagged(void (*body)(void*), void* data);

namespace {

constexpr size_t kBytes = 64;

void KeepAlive(void* p) { asm volatile("" : : "r"(p) : "memory"); }

void MallocPairs(void* count) {
  for (long i = *static_cast<long*>(count); i > 0; --i) {
    void* p = malloc(kBytes);
    KeepAlive(p);
    free(p);
  }
}

void NewPairs(void* count) {
  for (long i = *static_cast<long*>(count); i > 0; --i) {
    void* p = ::operator new(kBytes);
    KeepAlive(p);
    ::operator delete(p, kBytes);
  }
}

void Resize(void* count) {
  for (long i = *static_cast<long*>(count); i > 0; --i) {
    void* p = malloc(kBytes);
    memset(p, 0x5a, kBytes);
    p = realloc(p, kBytes << i % 7);
    KeepAlive(p);
    free(p);
  }
}

void Steady(long count) {
  long first = 1;
  tagged(Resize, &first);
  syscall(SYS_getppid);
  tagged(Resize, &count);
  syscall(SYS_getppid);
}

}  // namespace

int main(int argc, char** argv) {
  const char* what = argc == 3 ? argv[1] : "";
  long count = argc == 3 ? atol(argv[2]) : 0;
  if (strcmp(what, "malloc") == 0) {
    MallocPairs(&count);
  } else if (strcmp(what, "new") == 0) {
    NewPairs(&count);
  } else if (strcmp(what, "tagged") == 0) {
    tagged(MallocPairs, &count);
  } else if (strcmp(what, "steady") == 0) {
    Steady(count);
  } else {
    fprintf(stderr, "usage: pairs malloc|new|tagged|steady COUNT\n");
    return 2;
  }
  return 0;
}
