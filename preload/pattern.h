// SPDX-License-Identifier: Apache-2.0
// Patterns of the policy: `*` stands for any run of characters, `?` for one.
#pragma once

namespace pagewarden {

// Goes back to the last `*` where it does not fit: no recursion, no memory.
inline bool Matches(const char* pattern, const char* text) {
  const char* after_star = nullptr;
  const char* resume = nullptr;
  while (*text != 0) {
    if (*pattern == '*') {
      after_star = ++pattern;
      resume = text;
    } else if (*pattern == '?' || *pattern == *text) {
      ++pattern;
      ++text;
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

inline const char* FileName(const char* path) {
  const char* name = path;
  for (const char* c = path; *c != 0; ++c)
    if (*c == '/') name = c + 1;
  return name;
}

// A module goes by the name of its file, or by its path where the pattern has a slash.
inline bool MatchesModule(const char* pattern, const char* path) {
  const bool is_path = FileName(pattern) != pattern;
  return Matches(pattern, is_path ? path : FileName(path));
}

}  // namespace pagewarden
