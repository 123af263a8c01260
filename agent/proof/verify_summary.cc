// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/verify_summary.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"

namespace pagewarden {
namespace {

std::string Plural(size_t count, const char* one, const char* many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

size_t Holders(const VerifyResult& result) {
  std::set<pid_t> pids;
  for (const FoundCopy& copy : result.copies) pids.insert(copy.pid);
  return pids.size();
}

}  // namespace

VerifySummary Summarize(const VerifyResult& result) {
  VerifySummary summary;
  summary.copies = result.copies.size();
  for (const FoundCopy& copy : result.copies) {
    summary.locked += copy.locked;
    summary.fenced += copy.fenced;
    summary.stale += copy.stale.value_or(false);
    ++summary.kinds[PlaceKindName(copy.kind)];
  }
  for (const VerifiedProcess& process : result.processes) {
    if (process.stopped.has_value()) {
      summary.stopped = std::max(*process.stopped, summary.stopped.value_or(*process.stopped));
    }
  }
  return summary;
}

std::string Verdict(const VerifyResult& result) {
  const std::string searched = Plural(result.processes.size(), "process", "processes");
  if (result.copies.empty()) return absl::StrCat("no copy found in ", searched);
  const VerifySummary summary = Summarize(result);
  const size_t holders = Holders(result);
  const size_t only_locked = summary.locked - summary.fenced;
  std::string verdict = absl::StrCat(
      Plural(summary.copies, "copy", "copies"), " in ",
      holders < result.processes.size() ? absl::StrCat(holders, " of ") : "", searched, ": ",
      summary.fenced, " fenced, ", summary.copies - summary.fenced, " not fenced");
  if (only_locked > 0) absl::StrAppend(&verdict, " (", only_locked, " of them locked)");
  if (summary.stale > 0) absl::StrAppend(&verdict, ", ", summary.stale, " stale");
  return verdict;
}

int ExitCode(const VerifyResult& result, Accept accept) {
  if (!result.unreadable.empty()) return kExitPartialData;
  if (result.copies.empty()) return kExitNoneFound;
  const VerifySummary summary = Summarize(result);
  const size_t accepted = accept == Accept::kLocked ? summary.locked : summary.fenced;
  return accepted == summary.copies ? kExitClean : kExitFindings;
}

}  // namespace pagewarden
