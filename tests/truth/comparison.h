// SPDX-License-Identifier: Apache-2.0
// Counts figures and differences, and prints the first of these.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace truth {

class Comparison {
 public:
  // `what` of `whom`, e.g. "VmLck" of "pid 7". Differences go to stdout, the first 20.
  void Equal(absl::string_view whom, absl::string_view what, int64_t expected, int64_t actual);
  void Fail(absl::string_view what);

  uint64_t figures() const { return figures_; }
  uint64_t differences() const { return differences_; }

 private:
  bool MayPrint();

  uint64_t figures_ = 0;
  uint64_t differences_ = 0;
};

}  // namespace truth
