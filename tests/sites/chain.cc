// SPDX-License-Identifier: Apache-2.0
#include "chain.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

#define FRAME __attribute__((noinline, noclone))

struct Step {
  int depth;
  visit_function visit;
  void* data;
};

FRAME int Next(Step step);

// Cleans up, so that it has a personality routine.
FRAME int WithDestructors(Step& step) {
  std::string text(static_cast<size_t>(step.depth) + 100, 'x');
  std::vector<std::string> texts(3, text);
  return Next(step) + static_cast<int>(texts[1].size());
}

FRAME int Catches(Step& step) {
  try {
    return Next(step) + 1;
  } catch (const std::exception& e) {
    return e.what()[0];
  }
}

FRAME int AfterException(Step& step) {
  try {
    throw std::runtime_error("once");
  } catch (const std::exception&) {
    return Next(step) + 1;
  }
}

FRAME int ByFunction(Step& step) {
  const std::function<int(Step)> call = [](Step s) { return Next(s) + 1; };
  return call(step);
}

FRAME int Sorted(Step& step) {
  std::vector<int> two = {2, 1};
  bool done = false;
  int result = 0;
  std::sort(two.begin(), two.end(), [&](int a, int b) {
    if (!done) result = Next(step);
    done = true;
    return a < b;
  });
  return result;
}

struct Base {
  virtual ~Base() = default;
  virtual int Call(Step& step) const = 0;
};
struct Other {
  virtual ~Other() = default;
  long words[3] = {};
};
struct Derived : Other, Base {  // called through a thunk
  FRAME int Call(Step& step) const override { return Next(step) + 1; }
};

FRAME int Virtual(Step& step) {
  const Derived derived{};
  const Base* volatile base = &derived;
  return base->Call(step) + 1;
}

FRAME int Next(Step step) {
  constexpr int (*kFrames[])(Step&) = {WithDestructors, Catches, AfterException,
                                       ByFunction,      Sorted,  Virtual};
  if (step.depth-- <= 0) return step.visit(step.data);
  int result = kFrames[step.depth % 6](step);
  asm volatile("" : "+r"(result));
  return result;
}

}  // namespace

extern "C" int CHAIN(int depth, visit_function visit, void* data) {
  int result = Next({depth, visit, data});
  asm volatile("" : "+r"(result));
  return result;
}
