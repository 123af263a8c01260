// SPDX-License-Identifier: Apache-2.0
// What code pays that has no secret: measures one row in this process, with
// whatever is preloaded, and prints nanoseconds of CPU time per operation: the
// least of several windows, since the machine is shared.
//
//   forwarding_bench malloc | new | call | extent | fold1 | fold4 | fold8
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "libbench.h"
#include "libfold.h"
#include "timing.h"

namespace pagewarden::bench {
namespace {

constexpr int kWindows = 9;
constexpr int kOperations = 1'000'000;
constexpr size_t kBytes = 64;

struct Block {
  char bytes[kBytes];
};

template <typename Operation>
double NanosecondsPer(Operation operation) {
  double best = 1e18;
  for (int window = 0; window < kWindows; ++window) {
    const double start = ThreadTime();
    for (int i = 0; i < kOperations; ++i) operation();
    best = std::min(best, (ThreadTime() - start) / kOperations);
  }
  return best;
}

double Malloc() {
  return NanosecondsPer([] {
    void* p = malloc(kBytes);
    KeepAlive(p);
    free(p);
  });
}

double New() {
  return NanosecondsPer([] {
    auto* const p = new Block;
    KeepAlive(p);
    delete p;
  });
}

double Call() {
  long x = 0;
  return NanosecondsPer([&x] { x = bench_call(x); });
}

// malloc and free in a hooked function.
double Extent() {
  double result = 0;
  bench_extent([](void* out) { *static_cast<double*>(out) = Malloc(); }, &result);
  return result;
}

template <void* (*Allocate)(size_t)>
double Fold() {
  return NanosecondsPer([] {
    void* p = Allocate(kBytes);
    KeepAlive(p);
    free(p);
  });
}

int Run(const std::string& name) {
  const std::map<std::string, double (*)()> rows = {
      {"malloc", Malloc},      {"new", New},
      {"call", Call},          {"extent", Extent},
      {"fold1", Fold<fold_1>}, {"fold4", Fold<fold_4>},
      {"fold8", Fold<fold_8>}};
  const auto row = rows.find(name);
  if (row == rows.end()) {
    fprintf(stderr, "usage: forwarding_bench malloc|new|call|extent|fold1|fold4|fold8\n");
    return 2;
  }
  PinTo(sched_getcpu());
  printf("%.3f\n", row->second());
  return 0;
}

}  // namespace
}  // namespace pagewarden::bench

int main(int argc, char** argv) { return pagewarden::bench::Run(argc == 2 ? argv[1] : ""); }
