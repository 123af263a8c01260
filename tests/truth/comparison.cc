// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/comparison.h"

#include "absl/strings/str_format.h"

namespace truth {
namespace {

constexpr uint64_t kMostPrinted = 20;

}  // namespace

bool Comparison::MayPrint() { return ++differences_ <= kMostPrinted; }

void Comparison::Equal(absl::string_view whom, absl::string_view what, int64_t expected,
                       int64_t actual) {
  ++figures_;
  if (expected == actual || !MayPrint()) return;
  absl::PrintF("DIFFERS %s, %s: %d, expected %d\n", whom, what, actual, expected);
}

void Comparison::Fail(absl::string_view what) {
  if (MayPrint()) absl::PrintF("FAILED %s\n", what);
}

}  // namespace truth
