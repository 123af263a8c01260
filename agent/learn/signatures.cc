// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/signatures.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

namespace pagewarden {
namespace {

// What a shorter signature may move beyond the full one, of all allocations: it
// holds for paths that the next run takes and this one did not.
constexpr double kSlack = 0.0005;

using Key = std::vector<std::pair<uint32_t, uint64_t>>;

Key KeyOf(const recording::Stack& stack, uint32_t depth) {
  Key key;
  for (uint32_t i = 0; i < std::min(depth, stack.depth); ++i) {
    key.emplace_back(stack.frames[i].module, stack.frames[i].offset);
  }
  return key;
}

using Sizes = std::array<uint64_t, recording::kSizeClasses>;

class Prefixes {
 public:
  explicit Prefixes(const std::vector<recording::Stack>& stacks) {
    for (const recording::Stack& stack : stacks) {
      for (uint32_t depth = 1; depth <= stack.depth; ++depth) {
        Sizes& sizes = allocations_[KeyOf(stack, depth)];
        for (size_t i = 0; i < sizes.size(); ++i) sizes[i] += stack.allocations[i];
      }
    }
  }

  // Those of the size classes from `first` to `last`.
  uint64_t Allocations(const Key& key, uint32_t first = 0,
                       uint32_t last = recording::kSizeClasses - 1) const {
    const auto found = allocations_.find(key);
    if (found == allocations_.end()) return 0;
    return std::accumulate(found->second.begin() + first, found->second.begin() + last + 1,
                           uint64_t{0});
  }

 private:
  std::map<Key, Sizes> allocations_;
};

// The shortest that is nearly as precise as the whole stack.
Key Shorten(const recording::Stack& stack, const Prefixes& prefixes, double slack) {
  const double whole = static_cast<double>(prefixes.Allocations(KeyOf(stack, stack.depth)));
  for (uint32_t depth = 1; depth < stack.depth; ++depth) {
    Key key = KeyOf(stack, depth);
    if (static_cast<double>(prefixes.Allocations(key)) <= whole + slack) return key;
  }
  return KeyOf(stack, stack.depth);
}

bool IsPrefix(const Key& prefix, const Key& key) {
  return prefix.size() <= key.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
}

LearnedSignature Make(const Key& key, const Prefixes& prefixes) {
  LearnedSignature signature;
  for (const auto& [module, offset] : key) signature.frames.push_back({offset, module, 0});
  signature.moved = prefixes.Allocations(key);
  return signature;
}

Key KeyOf(const LearnedSignature& signature) {
  Key key;
  for (const recording::Frame& frame : signature.frames) {
    key.emplace_back(frame.module, frame.offset);
  }
  return key;
}

// The same, only for sizes like those of its copies.
LearnedSignature WithSizes(LearnedSignature signature, const Prefixes& prefixes) {
  uint32_t first = 0;
  uint32_t last = recording::kSizeClasses - 1;
  while (first < last && (signature.size_classes >> first & 1) == 0) ++first;
  while (last > first && (signature.size_classes >> last & 1) == 0) --last;
  signature.min_bytes = first == 0 ? 0 : (uint64_t{1} << (first - 1)) + 1;
  signature.max_bytes = uint64_t{1} << last;
  signature.moved = prefixes.Allocations(KeyOf(signature), first, last);
  return signature;
}

// Few copies for many allocations come last.
bool IsCheaper(const LearnedSignature& a, const LearnedSignature& b) {
  return a.moved * b.Copies() < b.moved * a.Copies();
}

}  // namespace

uint64_t AllocationsOf(const recording::Stack& stack) {
  return std::accumulate(std::begin(stack.allocations), std::end(stack.allocations), uint64_t{0});
}

SignatureChoice ChooseSignatures(const std::vector<StackEvidence>& evidence,
                                 const std::vector<recording::Stack>& stacks, uint64_t allocations,
                                 double budget) {
  const Prefixes prefixes(stacks);
  const double slack = kSlack * static_cast<double>(allocations);
  std::map<Key, LearnedSignature> by_key;  // a prefix comes right before what it covers
  for (const StackEvidence& found : evidence) {
    Key key = Shorten(stacks[found.stack], prefixes, slack);
    if (key.empty()) continue;
    by_key.try_emplace(key, Make(key, prefixes));
  }
  for (auto it = by_key.begin(); it != by_key.end();) {
    const bool is_covered = it != by_key.begin() && IsPrefix(std::prev(it)->first, it->first);
    it = is_covered ? by_key.erase(it) : std::next(it);
  }
  for (const StackEvidence& found : evidence) {
    const recording::Stack& stack = stacks[found.stack];
    for (auto& [key, signature] : by_key) {
      if (!IsPrefix(key, KeyOf(stack, stack.depth))) continue;
      signature.live += found.live;
      signature.stale += found.stale;
      signature.size_classes |= found.size_classes;
    }
  }
  std::vector<LearnedSignature> candidates;
  for (auto& [key, signature] : by_key) candidates.push_back(std::move(signature));
  std::stable_sort(candidates.begin(), candidates.end(), IsCheaper);
  SignatureChoice choice;
  double left = budget * static_cast<double>(allocations);
  const auto fits = [&](const LearnedSignature& signature) {
    const double moved = static_cast<double>(signature.moved);
    if (moved > left) return false;
    left -= moved;
    return true;
  };
  std::vector<LearnedSignature> common;
  for (LearnedSignature& signature : candidates) {
    (fits(signature) ? choice.chosen : common).push_back(std::move(signature));
  }
  for (LearnedSignature& signature : common) {
    LearnedSignature sized = WithSizes(signature, prefixes);
    if (fits(sized)) {
      choice.chosen.push_back(std::move(sized));
    } else {
      choice.too_common.push_back(std::move(signature));
    }
  }
  return choice;
}

}  // namespace pagewarden
