// SPDX-License-Identifier: Apache-2.0
// The last events as lines, in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "agent/events/event.h"

namespace pagewarden {

struct RecentLine {
  uint64_t sequence = 0;
  absl::Time time;
  std::string type;
  std::string line;  // with its line break
};

// Bounded by number and by bytes. Not thread-safe.
class RecentLines {
 public:
  explicit RecentLines(size_t max_events) : max_events_(max_events) {}

  void Add(const Event& event, std::string line) {
    bytes_ += line.size();
    lines_.push_back({event.sequence, event.time, event.type, std::move(line)});
    while (lines_.size() > 1 && (lines_.size() > max_events_ || bytes_ > kMaxBytes)) {
      bytes_ -= lines_.front().line.size();
      lines_.pop_front();
    }
  }

  const std::deque<RecentLine>& lines() const { return lines_; }

 private:
  static constexpr size_t kMaxBytes = 4 << 20;

  size_t max_events_;
  size_t bytes_ = 0;
  std::deque<RecentLine> lines_;
};

}  // namespace pagewarden
