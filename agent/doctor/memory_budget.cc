// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/memory_budget.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;
constexpr uint64_t kNoLimit = uint64_t{1} << 62;  // v1 writes LONG_MAX rounded to pages

// The names of what is asked for, in both versions (cgroup-v2.rst, cgroup-v1/memory.rst).
struct Names {
  const char* limit;
  const char* used;
  const char* cache[2];  // of memory.stat
  const char* unevictable;
};
constexpr Names kV1 = {"memory.limit_in_bytes",
                       "memory.usage_in_bytes",
                       {"total_inactive_file", "total_active_file"},
                       "total_unevictable"};
constexpr Names kV2 = {
    "memory.max", "memory.current", {"inactive_file", "active_file"}, "unevictable"};

std::optional<uint64_t> ReadNumber(const std::string& path) {
  const auto text = ReadBoundedFile(path, kMaxTextBytes);
  uint64_t value = 0;
  if (!text.ok() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &value)) {
    return std::nullopt;  // v2 writes "max" where there is no limit
  }
  return value;
}

uint64_t StatOf(absl::string_view stat, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(stat, '\n')) {
    uint64_t value = 0;
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, " ") &&
        absl::SimpleAtoi(line, &value)) {
      return value;
    }
  }
  return 0;
}

// What the cgroup leaves; nullopt: it sets no limit.
std::optional<MemoryBudget> BudgetOf(const std::string& directory, const Names& names) {
  MemoryBudget budget;
  budget.limit_file = absl::StrCat(directory, "/", names.limit);
  const auto limit = ReadNumber(budget.limit_file);
  const auto used = ReadNumber(absl::StrCat(directory, "/", names.used));
  if (!limit || !used || *limit >= kNoLimit) return std::nullopt;
  const std::string stat =
      ReadBoundedFile(absl::StrCat(directory, "/memory.stat"), kMaxTextBytes).value_or("");
  const uint64_t cache = StatOf(stat, names.cache[0]) + StatOf(stat, names.cache[1]);
  budget.limit_bytes = *limit;
  budget.used_bytes = *used - std::min(*used, cache);
  budget.unevictable_bytes = StatOf(stat, names.unevictable);
  return budget;
}

uint64_t LeftOf(const MemoryBudget& budget) {
  return budget.limit_bytes - std::min(budget.limit_bytes, budget.used_bytes);
}

absl::string_view Above(absl::string_view path) { return path.substr(0, path.rfind('/')); }

}  // namespace

// v1 has no switch but the swappiness, which 0 turns off for the cgroup alone.
SwapSwitch ReadSwapSwitch(const CgroupHierarchy& hierarchy, absl::string_view cgroup) {
  const bool v2 = hierarchy.version() == CgroupVersion::kV2;
  const char* const name = v2 ? "/memory.swap.max" : "/memory.swappiness";
  SwapSwitch found;
  for (absl::string_view path = cgroup; path.size() > 1; path = Above(path)) {
    const std::string directory = hierarchy.DirectoryOf(path);
    if (directory.empty()) break;
    const std::string file = absl::StrCat(directory, name);
    const auto text = ReadBoundedFile(file, kMaxTextBytes);
    if (!text.ok()) continue;
    if (found.file.empty()) found.file = file;
    const bool counts = v2 || path == cgroup;
    if (counts && absl::StripAsciiWhitespace(*text) == "0") found.off = true;
  }
  return found;
}

MemoryBudget ReadMemoryBudget(const CgroupHierarchy& hierarchy, absl::string_view cgroup) {
  const Names& names = hierarchy.version() == CgroupVersion::kV2 ? kV2 : kV1;
  MemoryBudget tightest;
  for (absl::string_view path = cgroup; path.size() > 1; path = Above(path)) {
    const std::string directory = hierarchy.DirectoryOf(path);
    if (directory.empty()) break;
    auto budget = BudgetOf(directory, names);
    if (!budget) continue;
    budget->cgroup = std::string(path);
    if (tightest.cgroup.empty() || LeftOf(*budget) < LeftOf(tightest)) tightest = *budget;
  }
  const SwapSwitch swap = ReadSwapSwitch(hierarchy, cgroup);
  tightest.swap_off = swap.off;
  tightest.swap_file = swap.file;
  tightest.swap_value = "0";
  return tightest;
}

}  // namespace pagewarden
