// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup/mountinfo.h"

#include <algorithm>

#include "absl/strings/str_split.h"

namespace pagewarden {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// Space, tab, newline and backslash are printed as \040 and so on.
std::string Unescape(absl::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && IsOctal(text[i + 1]) && IsOctal(text[i + 2]) &&
        IsOctal(text[i + 3])) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                  (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

// id parent major:minor root mount-point options [optional…] - type source super-options
bool ParseLine(absl::string_view line, CgroupMount& mount) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 4) return false;
  if (dash[1] != "cgroup" && dash[1] != "cgroup2") return false;
  const std::vector<absl::string_view> options = absl::StrSplit(dash[3], ',');
  mount.v2 = dash[1] == "cgroup2";
  mount.memory = !mount.v2 && std::find(options.begin(), options.end(), "memory") != options.end();
  mount.root = Unescape(fields[3]);
  mount.mount_point = Unescape(fields[4]);
  return true;
}

}  // namespace

std::vector<CgroupMount> ParseCgroupMounts(absl::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (absl::string_view line : absl::StrSplit(mountinfo, '\n', absl::SkipEmpty())) {
    CgroupMount mount;
    if (ParseLine(line, mount)) mounts.push_back(std::move(mount));
  }
  return mounts;
}

}  // namespace pagewarden
