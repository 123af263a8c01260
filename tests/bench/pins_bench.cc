// SPDX-License-Identifier: Apache-2.0
// Prints how many nanoseconds one of these takes: map, thread, malloc.
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "timing.h"

namespace {

constexpr int kRepetitions = 20;

void Map() {
  constexpr size_t kBytes = 64 << 10;
  void* at = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED || munmap(at, kBytes) != 0) abort();
}

void* Nothing(void* argument) { return argument; }

void Thread() {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, Nothing, nullptr) != 0) abort();
  pthread_join(thread, nullptr);
}

void Allocate() {
  void* volatile block = malloc(64);
  free(block);
}

// The least of several: what the rest of the machine does only adds to it.
double Nanoseconds(void (*body)(), int count) {
  double least = std::numeric_limits<double>::max();
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    const double start = pagewarden::bench::WallTime();
    for (int i = 0; i < count; ++i) body();
    least = std::min(least, (pagewarden::bench::WallTime() - start) / count);
  }
  return least;
}

}  // namespace

int main(int argc, char** argv) {
  const char* what = argc == 2 ? argv[1] : "";
  double cost = 0;
  if (strcmp(what, "map") == 0) {
    cost = Nanoseconds(Map, 1000);
  } else if (strcmp(what, "thread") == 0) {
    cost = Nanoseconds(Thread, 200);
  } else if (strcmp(what, "malloc") == 0) {
    cost = Nanoseconds(Allocate, 100'000);
  } else {
    return 2;
  }
  printf("%.1f\n", cost);
  return 0;
}
