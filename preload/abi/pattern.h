// SPDX-License-Identifier: Apache-2.0
// What patterns of the policy image mean, to the shim and to the agent: `*` stands for
// any run of characters, `?` for one.
#pragma once

#include <stddef.h>

namespace pagewarden {

// Linear in practice: only the last `*` is ever tried again.
inline bool MatchesPattern(const char* pattern, const char* text, size_t bytes) {
  const char* const end = text + bytes;
  const char* after_star = nullptr;
  const char* resume = nullptr;
  while (text != end) {
    if (*pattern == '*') {
      after_star = ++pattern;
      resume = text;
    } else if (*pattern == *text || *pattern == '?') {
      ++pattern, ++text;
    } else if (after_star != nullptr) {
      pattern = after_star;
      text = ++resume;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == 0;
}

inline bool MatchesPattern(const char* pattern, const char* text) {
  size_t bytes = 0;
  while (text[bytes] != 0) ++bytes;
  return MatchesPattern(pattern, text, bytes);
}

inline const char* LastPart(const char* path) {
  const char* part = path;
  for (const char* c = path; *c != 0; ++c)
    if (*c == '/') part = c + 1;
  return part;
}

// A pattern with a slash is for the whole path, another for its last part.
inline bool MatchesFile(const char* pattern, const char* path) {
  const bool whole = LastPart(pattern) != pattern;
  return MatchesPattern(pattern, whole ? path : LastPart(path));
}

}  // namespace pagewarden
