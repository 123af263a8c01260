// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/overlap.h"

#include <algorithm>
#include <vector>

#include "preload/abi/pattern.h"

namespace pagewarden {
namespace {

using Texts = std::vector<std::string>;

bool AnyOverlap(const Texts& a, const Texts& b) {
  if (a.empty() || b.empty()) return true;
  return std::any_of(a.begin(), a.end(), [&](const std::string& x) {
    return std::any_of(b.begin(), b.end(),
                       [&](const std::string& y) { return PatternsOverlap(x, y); });
  });
}

// A cgroup's pattern is also for all below it.
bool CgroupsOverlap(const Texts& a, const Texts& b) {
  const auto below = [](const std::string& path) { return (path == "/" ? "" : path) + "/*"; };
  if (a.empty() || b.empty()) return true;
  return std::any_of(a.begin(), a.end(), [&](const std::string& x) {
    return std::any_of(b.begin(), b.end(), [&](const std::string& y) {
      return PatternsOverlap(x, y) || PatternsOverlap(x, below(y)) || PatternsOverlap(below(x), y);
    });
  });
}

bool AnyEqual(const Texts& a, const Texts& b) {
  if (a.empty() || b.empty()) return true;
  return std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) != a.end();
}

// A `?` would match the `*` of another pattern, and not what that one stands for.
bool PatternCovers(const std::string& outer, const std::string& inner) {
  if (outer == inner) return true;
  return outer.find('?') == std::string::npos && MatchesPattern(outer.c_str(), inner.c_str());
}

bool ListCovers(const Texts& outer, const Texts& inner) {
  if (outer.empty()) return true;
  return !inner.empty() && std::all_of(inner.begin(), inner.end(), [&](const std::string& text) {
    return std::any_of(outer.begin(), outer.end(),
                       [&](const std::string& pattern) { return PatternCovers(pattern, text); });
  });
}

const Texts& NamespacesOf(const ProcessSelector& selector) {
  static const Texts* none = new Texts;
  return selector.namespaces.has_value() ? selector.namespaces->match_names : *none;
}

using Labels = std::map<std::string, std::string>;

const Labels& LabelsOf(const ProcessSelector& selector) {
  static const Labels* none = new Labels;
  return selector.pods.has_value() ? selector.pods->match_labels : *none;
}

// Whether one pod may have both.
bool LabelsAgree(const Labels& a, const Labels& b) {
  return std::all_of(a.begin(), a.end(), [&](const auto& label) {
    const auto other = b.find(label.first);
    return other == b.end() || other->second == label.second;
  });
}

bool Includes(const Labels& all, const Labels& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

}  // namespace

bool PatternsOverlap(absl::string_view a, absl::string_view b) {
  // next[j]: a.substr(i + 1) and b.substr(j) have a text in common; row[j]: with a.substr(i).
  std::vector<bool> next(b.size() + 2);
  for (size_t i = a.size() + 1; i-- > 0;) {
    std::vector<bool> row(b.size() + 2);
    for (size_t j = b.size() + 1; j-- > 0;) {
      const char x = i < a.size() ? a[i] : 0, y = j < b.size() ? b[j] : 0;
      if (x == '*' || y == '*') {
        // A star stands for nothing more, or takes one more of the other pattern.
        row[j] = (x != 0 && next[j]) || (y != 0 && row[j + 1]);
      } else if (x == 0 || y == 0) {
        row[j] = x == y;
      } else {
        row[j] = (x == y || x == '?' || y == '?') && next[j + 1];
      }
    }
    next = std::move(row);
  }
  return next[0];
}

bool SelectorsOverlap(const ProcessSelector& a, const ProcessSelector& b) {
  return AnyEqual(a.match_binaries, b.match_binaries) && AnyOverlap(a.match_units, b.match_units) &&
         AnyOverlap(a.match_slices, b.match_slices) &&
         CgroupsOverlap(a.match_cgroups, b.match_cgroups) &&
         AnyOverlap(NamespacesOf(a), NamespacesOf(b)) && LabelsAgree(LabelsOf(a), LabelsOf(b));
}

bool Covers(const ProcessSelector& outer, const ProcessSelector& inner) {
  return ListCovers(outer.match_binaries, inner.match_binaries) &&
         ListCovers(outer.match_units, inner.match_units) &&
         ListCovers(outer.match_slices, inner.match_slices) &&
         ListCovers(outer.match_cgroups, inner.match_cgroups) &&
         ListCovers(NamespacesOf(outer), NamespacesOf(inner)) &&
         Includes(LabelsOf(inner), LabelsOf(outer));
}

}  // namespace pagewarden
