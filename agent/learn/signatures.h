// SPDX-License-Identifier: Apache-2.0
// Chooses the call stacks that a policy names: few, as short as they can be
// without moving many allocations that hold nothing secret.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/learn/evidence.h"
#include "recorder/recording.h"

namespace pagewarden {

struct LearnedSignature {
  std::vector<recording::Frame> frames;  // innermost first
  uint64_t live = 0;                     // copies, as in StackEvidence
  uint64_t stale = 0;
  uint64_t moved = 0;         // allocations with these frames (and of this size), secret or not
  uint64_t size_classes = 0;  // of the blocks with copies
  uint64_t min_bytes = 0;     // the sizes that it is for; max 0: all
  uint64_t max_bytes = 0;

  uint64_t Copies() const { return live + stale; }
};

struct SignatureChoice {
  std::vector<LearnedSignature> chosen;
  std::vector<LearnedSignature> too_common;  // would exceed the budget
};

// One that is too common for all sizes may be chosen for those of its copies.
// `budget`: the share of all `allocations` that the chosen ones together may move.
// Allocations of all sizes.
uint64_t AllocationsOf(const recording::Stack& stack);

SignatureChoice ChooseSignatures(const std::vector<StackEvidence>& evidence,
                                 const std::vector<recording::Stack>& stacks, uint64_t allocations,
                                 double budget);

}  // namespace pagewarden
