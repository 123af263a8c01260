// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup/paths.h"

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace pagewarden {
namespace {

bool IsOutside(absl::string_view path) { return path == "/.." || absl::StartsWith(path, "/../"); }

}  // namespace

absl::string_view ParentCgroup(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos || path == "/") return "";
  if (absl::EndsWith(path, "/..")) return "";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

bool IsAtOrBelowCgroup(absl::string_view path, absl::string_view ancestor) {
  if (path == ancestor) return true;
  if (ancestor == "/") return !IsOutside(path);
  return absl::ConsumePrefix(&path, ancestor) && absl::StartsWith(path, "/");
}

}  // namespace pagewarden
