// SPDX-License-Identifier: Apache-2.0
// Measures one row of the benchmark in this process, with whatever is
// preloaded, and prints nanoseconds of CPU time per operation: the least of
// several windows, since the machine is shared.
//
//   shim_worker malloc | new | call | secret
#include <sched.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>

extern "C" {
long bench_call(long x);
void bench_extent(void (*body)(void*), void* data);
}

namespace {

constexpr int kWindows = 9;
constexpr int kOperations = 1'000'000;
constexpr size_t kBytes = 64;

// Set by the runner: is the shim there to wipe, or must the program?
const bool fenced = getenv("PAGEWARDEN_IMAGE") != nullptr;

double Now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

template <typename Operation>
double NanosecondsPer(Operation operation) {
  double best = 1e18;
  for (int window = 0; window < kWindows; ++window) {
    const double start = Now();
    for (int i = 0; i < kOperations; ++i) operation();
    best = std::min(best, (Now() - start) / kOperations);
  }
  return best;
}

void KeepAlive(void* p) { asm volatile("" : : "r"(p) : "memory"); }

double UntaggedPair() {
  return NanosecondsPer([] {
    void* p = malloc(kBytes);
    KeepAlive(p);
    free(p);
  });
}

double NewDelete() {
  return NanosecondsPer([] {
    void* p = ::operator new(kBytes);
    KeepAlive(p);
    ::operator delete(p, kBytes);
  });
}

double Call() {
  long x = 0;
  return NanosecondsPer([&x] { x = bench_call(x); });
}

// A secret of 64 bytes: allocate, write, wipe, free, with 1,000 others alive.
void SecretPair(void* result) {
  static void* live[1000];
  for (void*& p : live) p = malloc(kBytes);
  *static_cast<double*>(result) = NanosecondsPer([] {
    void* p = malloc(kBytes);
    memset(p, 0xa5, kBytes);
    KeepAlive(p);
    if (!fenced) explicit_bzero(p, kBytes);
    free(p);
  });
  for (void* p : live) free(p);
}

double Secret() {
  double result = 0;
  bench_extent(SecretPair, &result);
  return result;
}

void PinToOneProcessor() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(sched_getcpu(), &set);
  sched_setaffinity(0, sizeof(set), &set);
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, double (*)()> rows = {
      {"malloc", UntaggedPair}, {"new", NewDelete}, {"call", Call}, {"secret", Secret}};
  const auto row = argc == 2 ? rows.find(argv[1]) : rows.end();
  if (row == rows.end()) {
    fprintf(stderr, "usage: shim_worker malloc|new|call|secret\n");
    return 2;
  }
  PinToOneProcessor();
  printf("%.3f\n", row->second());
  return 0;
}
