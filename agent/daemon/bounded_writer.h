// SPDX-License-Identifier: Apache-2.0
// Lines to a descriptor whose reader may stop: it must not stop the agent.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

// Not thread-safe.
class BoundedWriter {
 public:
  explicit BoundedWriter(int fd) : fd_(fd) {}

  // `lines` end with a line break. Waits for a reader who is slow, but a fifth of a second at
  // most, and not at all for one who was too slow the last time. An error says why lines are
  // left out; they are left out whole: the rest of one that was begun is written first the
  // next time. Empty: all are written.
  std::string Write(absl::string_view lines);

 private:
  // Returns how many bytes were written, 0 or more; `error` stays empty if that is all.
  size_t WriteSome(absl::string_view bytes, std::string& error);

  int fd_;
  bool is_slow_ = false;
  std::string rest_;  // of a line
};

}  // namespace pagewarden
