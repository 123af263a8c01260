// SPDX-License-Identifier: Apache-2.0
#include "agent/base/pattern.h"

#include "absl/strings/match.h"

namespace pagewarden {

// On a mismatch the last `*` takes one character more: no recursion, at most
// text × pattern steps.
bool MatchesPattern(absl::string_view text, absl::string_view pattern) {
  size_t at = 0;
  size_t in_pattern = 0;
  size_t star = absl::string_view::npos;
  size_t star_at = 0;
  while (at < text.size()) {
    const bool left = in_pattern < pattern.size();
    if (left && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_at = at;
    } else if (left && (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
      ++at;
      ++in_pattern;
    } else if (star != absl::string_view::npos) {
      in_pattern = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') ++in_pattern;
  return in_pattern == pattern.size();
}

bool MatchesModule(absl::string_view path, absl::string_view pattern) {
  if (absl::StrContains(pattern, '/')) return MatchesPattern(path, pattern);
  return MatchesPattern(path.substr(path.rfind('/') + 1), pattern);
}

}  // namespace pagewarden
