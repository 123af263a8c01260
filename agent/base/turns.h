// SPDX-License-Identifier: Apache-2.0
// Who of many is looked at again in this round: so many of them, all in turn.
//
//   turns.StartRound();
//   for (const auto& [name, …] : by_name) if (turns.IsNext(name)) LookAt(name);
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

// Not thread-safe.
class Turns {
 public:
  explicit Turns(size_t per_round) : per_round_(per_round), left_(per_round) {}

  // Goes on after the last one of the round before; from the beginning where that round
  // came to its end.
  void StartRound() {
    if (left_ > 0) last_.reset();
    left_ = per_round_;
  }

  // To be asked in ascending order of names.
  bool IsNext(absl::string_view name) {
    if (left_ == 0 || (last_ && name <= *last_)) return false;
    --left_;
    last_ = std::string(name);
    return true;
  }

 private:
  size_t per_round_;
  size_t left_;
  std::optional<std::string> last_;  // nullopt: before the first
};

}  // namespace pagewarden
