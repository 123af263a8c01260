// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/problem_texts.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/audit/text.h"
#include "agent/cgroup/classify.h"
#include "agent/doctor/case.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxUnitBytes = 255 - sizeof(".d") + 1;  // NAME_MAX, as a directory NAME.d
constexpr double kMaxBytes = 1e18;

bool IsUnitName(absl::string_view name) {
  // systemd.unit(5): letters, digits, ":-_.\" and "@" of instances.
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view(":-_.\\@").find(c) != absl::string_view::npos;
  };
  return name.size() <= kMaxUnitBytes && absl::EndsWith(name, ".service") &&
         name.size() > sizeof(".service") - 1 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

bool IsTypeable(absl::string_view path) {
  return !path.empty() && path[0] == '/' && Printable(path) == path;
}

}  // namespace

std::string FleetBytes(double bytes) {
  if (std::isinf(bytes)) return bytes > 0 ? "unlimited" : "-";
  return HumanBytes(static_cast<uint64_t>(std::clamp(bytes, 0.0, kMaxBytes)));
}

std::string FleetCount(double count) {
  if (!std::isfinite(count) || std::abs(count) > 1e15) return absl::StrFormat("%g", count);
  return absl::StrFormat("%.0f", std::ceil(count - 1e-6));
}

std::string FleetPercent(double ratio) {
  return std::isfinite(ratio) ? absl::StrFormat("%.0f%%", std::min(100 * ratio, 1e9)) : "over 100%";
}

std::string FleetAge(double seconds) {
  if (!(seconds >= 0)) return "0s";
  if (seconds < 120) return absl::StrFormat("%.0fs", seconds);
  if (seconds < 7200) return absl::StrFormat("%.0fm", seconds / 60);
  if (seconds < 2 * 86400) return absl::StrFormat("%.0fh", seconds / 3600);
  return absl::StrFormat("%.0fd", seconds / 86400);
}

std::string ReasonCounts(const std::map<std::string, double>& by_reason) {
  std::vector<std::pair<double, std::string>> counts;
  for (const auto& [reason, count] : by_reason) counts.emplace_back(-count, Printable(reason));
  std::sort(counts.begin(), counts.end());
  return absl::StrJoin(counts, ", ", [](std::string* out, const auto& pair) {
    absl::StrAppend(out, pair.second, " ", FleetCount(-pair.first));
  });
}

std::string ServiceOf(absl::string_view cgroup) {
  std::string service;
  const std::vector<absl::string_view> components = absl::StrSplit(cgroup, '/', absl::SkipEmpty());
  std::string path;
  for (const absl::string_view component : components) {
    absl::StrAppend(&path, "/", component);
    if (!service.empty() && absl::StartsWith(service, "user@")) return "";
    const CgroupIdentity identity = ClassifyCgroup(path);
    if (!identity.container.empty() || !identity.machine.empty()) return "";
    if (IsUnitName(component)) service = std::string(component);
  }
  return service;
}

std::string DoctorCommand(absl::string_view cgroup) {
  const std::string unit = ServiceOf(cgroup);
  if (!unit.empty()) return absl::StrCat("pagewarden doctor --unit ", ShellQuote(unit));
  return AuditCommand(cgroup);
}

std::string AuditCommand(absl::string_view cgroup) {
  if (!IsTypeable(cgroup)) return "pagewarden audit --by process";
  return absl::StrCat("pagewarden audit --by process --cgroup ", ShellQuote(cgroup));
}

}  // namespace pagewarden
