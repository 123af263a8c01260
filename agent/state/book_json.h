// SPDX-License-Identifier: Apache-2.0
// The books as text, whole or in part.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "agent/state/books.h"
#include "agent/state/process_books.h"

namespace pagewarden {

// The one that a process is counted for as not fenced: once.
struct SkippedProcess {
  std::string exe;
  std::string policy;
  std::string reason;

  bool operator==(const SkippedProcess& other) const {
    return exe == other.exe && policy == other.policy && reason == other.reason;
  }
};

struct StoredBooks {
  Books books;
  std::map<std::string, uint64_t> oom_seen;  // by cgroup: the kernel's count when last read
  ProcessBooks processes;
  std::map<pid_t, SkippedProcess> skipped;
};

// One line of JSON without its line break.
std::string FormatBooks(const StoredBooks& stored);

// Puts what `line` has over what `stored` has; the rest stays. False: damaged, and `stored`
// may be changed in part.
bool ApplyBooks(absl::string_view line, StoredBooks& stored);

// 16 hex digits of SHA-256.
std::string ChecksumOf(absl::string_view text);

}  // namespace pagewarden
