// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/audit/text.h"
#include "agent/fleet/fleet_formats.h"

namespace pagewarden {
namespace {

constexpr size_t kMostNext = 20;
constexpr size_t kMostNames = 5;
constexpr size_t kHostWidth = 40;
constexpr size_t kCgroupWidth = 44;

using Cells = std::vector<std::vector<std::string>>;

std::string Plural(size_t count, const char* one, const char* many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

std::string HostName(const FleetReport& report, size_t host) {
  return ShortenMiddle(Printable(report.hosts[host].name), kHostWidth);
}

std::string Summary(const FleetReport& report) {
  const size_t up = std::count_if(report.hosts.begin(), report.hosts.end(),
                                  [](const FleetHost& host) { return host.up; });
  std::set<size_t> troubled;
  size_t problems = 0;
  for (const FleetRow& row : report.rows) {
    troubled.insert(row.host);
    problems += row.problems.size();
  }
  std::string line = absl::StrCat(Plural(report.hosts.size(), "host", "hosts"), " (", up, " up), ",
                                  Plural(report.cgroups, "cgroup", "cgroups"), ": ");
  if (problems == 0 && report.partial) {
    return absl::StrCat(line, "nothing that was told needs attention, but not all was told\n");
  }
  if (problems == 0) return absl::StrCat(line, "nothing needs attention\n");
  return absl::StrCat(line, Plural(problems, "problem", "problems"), " on ",
                      Plural(troubled.size(), "host", "hosts"), "\n");
}

// What a row says of its cgroup: a pod's name tells more than its path.
std::string CgroupCell(const FleetRow& row) {
  if (row.cgroup.empty()) return "-";
  if (row.cgroup == "__other__") return "(others)";
  if (row.pod.empty()) return ShortenMiddle(CgroupName(row.cgroup), kCgroupWidth);
  return ShortenMiddle(Printable(absl::StrCat(row.name_space, "/", row.pod, "/", row.container)),
                       kCgroupWidth);
}

std::string ProblemTable(const FleetReport& report, size_t most_rows) {
  Cells cells = {{"SEVERITY", "HOST", "CGROUP", "PROBLEM", "WHAT"}};
  size_t left_out = 0;
  for (const FleetRow& row : report.rows) {
    for (const FleetProblem& problem : row.problems) {
      if (most_rows != 0 && cells.size() > most_rows) {
        ++left_out;
        continue;
      }
      cells.push_back({SeverityName(problem.severity), HostName(report, row.host), CgroupCell(row),
                       problem.kind, problem.text});
    }
  }
  std::string text = FormatTable(std::vector<Align>(5, Align::kLeft), cells);
  if (left_out > 0) absl::StrAppend(&text, "(and ", left_out, " more: --all)\n");
  return text;
}

// Each command once, with the host where one alone needs it.
std::string NextCommands(const FleetReport& report) {
  Cells cells;
  std::map<std::pair<std::string, std::string>, std::set<size_t>> hosts;
  std::vector<std::pair<std::string, std::string>> order;
  for (const FleetRow& row : report.rows) {
    for (const FleetProblem& problem : row.problems) {
      const auto key = std::pair(problem.kind, problem.next);
      if (hosts[key].empty()) order.push_back(key);
      hosts[key].insert(row.host);
    }
  }
  for (const auto& key : order) {
    if (cells.size() == kMostNext) break;
    const std::set<size_t>& where = hosts[key];
    cells.push_back({absl::StrCat("  ", key.first),
                     where.size() == 1 ? HostName(report, *where.begin())
                                       : absl::StrCat(where.size(), " hosts"),
                     key.second});
  }
  return absl::StrCat("Next, on the host:\n",
                      FormatTable(std::vector<Align>(3, Align::kLeft), cells));
}

std::string BehindNames(const FleetReport& report, const PolicyRollout& rollout) {
  if (rollout.current_hash.empty()) return "no sign which is the new one";
  std::vector<std::string> names;
  for (const size_t host : rollout.behind) {
    if (names.size() == kMostNames) break;
    names.push_back(HostName(report, host));
  }
  const size_t more = rollout.behind.size() - names.size();
  return absl::StrCat(
      rollout.moving ? "rolling out; not yet: " : "behind: ", absl::StrJoin(names, ", "),
      more > 0 ? absl::StrCat(" and ", more, " more") : "");
}

// Policies that all hosts have in one version need one line together.
std::string RolloutLines(const FleetReport& report) {
  Cells cells = {{"POLICY", "HASH", "MODE", "HOSTS", ""}};
  size_t uniform = 0;
  for (const PolicyRollout& rollout : report.rollout) {
    if (rollout.versions.size() < 2) {
      ++uniform;
      continue;
    }
    bool noted = rollout.behind.empty() && !rollout.current_hash.empty();
    for (const PolicyVersion& version : rollout.versions) {
      std::string note = version.current ? "current" : "";
      if (!version.current && !noted) note = BehindNames(report, rollout);
      noted = noted || !version.current;
      cells.push_back({Printable(rollout.policy), Printable(version.hash), Printable(version.mode),
                       absl::StrCat(version.hosts), note});
    }
  }
  std::string text;
  if (cells.size() > 1) {
    text =
        FormatTable({Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight, Align::kLeft}, cells);
  }
  if (uniform > 0) {
    absl::StrAppend(&text, Plural(uniform, "policy", "policies"), uniform == 1 ? " has" : " have",
                    " one version wherever loaded\n");
  }
  return text;
}

}  // namespace

std::string FormatFleetTable(const FleetReport& report, size_t most_rows) {
  std::string text = Summary(report);
  if (!report.rows.empty()) {
    absl::StrAppend(&text, "\n", ProblemTable(report, most_rows), "\n", NextCommands(report));
  }
  const std::string rollout = RolloutLines(report);
  if (!rollout.empty()) absl::StrAppend(&text, "\n", rollout);
  return text;
}

std::string FormatUnitLimits(const std::vector<UnitLimit>& limits) {
  if (limits.empty()) return "";
  Cells cells = {{"UNIT", "LimitMEMLOCK", "NOW, LOWEST", "PEAK, CGROUP", "HOSTS", "HIGHEST ON"}};
  for (const UnitLimit& limit : limits) {
    std::string now = limit.limit_known ? "unlimited" : "-";
    if (limit.lowest_limit_bytes) now = HumanBytes(*limit.lowest_limit_bytes);
    cells.push_back({limit.unit, HumanBytes(limit.recommended_bytes), now,
                     HumanBytes(limit.peak_bytes), absl::StrCat(limit.hosts),
                     ShortenMiddle(Printable(limit.highest_host), kHostWidth)});
  }
  return FormatTable(
      {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kLeft},
      cells);
}

}  // namespace pagewarden
