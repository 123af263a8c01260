// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/unit_limits.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"
#include "agent/base/files.h"
#include "agent/base/new_file.h"
#include "agent/fleet/problem_texts.h"

namespace pagewarden {
namespace {

constexpr double kMaxLimit = 1e15;
constexpr char kFileName[] = "/50-pagewarden-memlock.conf";

uint64_t BytesOf(double value) {
  return value > 0 ? static_cast<uint64_t>(std::min(value, kMaxLimit)) : 0;
}

void AddSampleTo(const QuerySample& sample, UnitLimit& limit) {
  const absl::string_view what = sample.labels.Get("what");
  const uint64_t bytes = BytesOf(sample.value);
  if (what == "recommended" && bytes > limit.recommended_bytes && sample.value < kMaxLimit) {
    limit.recommended_bytes = bytes;
    limit.highest_host = std::string(sample.labels.Get("instance"));
  } else if (what == "peak") {
    limit.peak_bytes = std::max(limit.peak_bytes, bytes);
  } else if (what == "hosts") {
    limit.hosts = std::max(limit.hosts, bytes);
  } else if (what == "limit") {
    limit.limit_known = true;
    if (std::isinf(sample.value)) return;
    limit.lowest_limit_bytes = std::min(limit.lowest_limit_bytes.value_or(bytes), bytes);
  }
}

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return absl::OkStatus();
  return ErrnoStatus(errno, path);
}

}  // namespace

std::vector<UnitLimit> UnitLimitsOf(const std::vector<QuerySample>& samples) {
  std::map<std::string, UnitLimit> by_unit;
  for (const QuerySample& sample : samples) {
    const std::string unit = ServiceOf(sample.labels.Get("cgroup"));
    if (unit.empty()) continue;
    if (by_unit.size() == kMaxUnitLimits && by_unit.count(unit) == 0) continue;
    AddSampleTo(sample, by_unit[unit]);
  }
  std::vector<UnitLimit> result;
  for (auto& [unit, limit] : by_unit) {
    if (limit.recommended_bytes == 0) continue;
    limit.unit = unit;
    result.push_back(std::move(limit));
  }
  return result;
}

std::string DropInOf(const UnitLimit& limit, const std::string& server) {
  std::string today = "not known";
  if (limit.limit_known) today = "unlimited";
  if (limit.lowest_limit_bytes) today = HumanBytes(*limit.lowest_limit_bytes);
  return absl::StrCat(
      "# ", limit.unit, ": made by `pagewarden fleet status --recommend` from ", Printable(server),
      "\n# highest need of a process, with a quarter of headroom: ",
      HumanBytes(limit.recommended_bytes), ", on ", Printable(limit.highest_host), " of ",
      limit.hosts, limit.hosts == 1 ? " host" : " hosts",
      "\n# highest sum locked in its cgroup: ", HumanBytes(limit.peak_bytes),
      "; lowest limit now: ", today, "\n[Service]\nLimitMEMLOCK=", limit.recommended_bytes, "\n");
}

absl::StatusOr<std::string> WriteDropIn(const std::string& directory, const UnitLimit& limit,
                                        const std::string& server) {
  const std::string folder = absl::StrCat(directory, "/", limit.unit, ".d");
  for (const std::string& path : {directory, folder}) {
    const absl::Status made = MakeDirectory(path);
    if (!made.ok()) return made;
  }
  const std::string path = folder + kFileName;
  if (absl::Status status = ReplaceFile(path, DropInOf(limit, server)); !status.ok()) return status;
  return path;
}

}  // namespace pagewarden
