// SPDX-License-Identifier: Apache-2.0
// What could not be read, as one line for the operator.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// Counts failures of one kind and keeps the first for the message.
class Failures {
 public:
  void Add(pid_t pid, const absl::Status& status) {
    if (count_++ == 0) first_ = absl::StrCat("pid ", pid, ": ", status.message());
  }
  void Add(const Failures& more) {
    if (count_ == 0) first_ = more.first_;
    count_ += more.count_;
  }
  bool empty() const { return count_ == 0; }
  void ReportTo(std::vector<std::string>& lines, absl::string_view what,
                absl::string_view hint) const {
    if (count_ == 0) return;
    lines.push_back(absl::StrCat(what, " of ", count_, count_ == 1 ? " process (" : " processes (",
                                 first_, ")", hint));
  }

 private:
  size_t count_ = 0;
  std::string first_;
};

}  // namespace pagewarden
