// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/finding.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pagewarden {
namespace {

constexpr size_t kMostNamedProcesses = 12;

bool Same(const Fix& a, const Fix& b) {
  return std::tie(a.summary, a.file, a.content, a.commands) ==
         std::tie(b.summary, b.file, b.content, b.commands);
}

// "nginx[4711]" → "nginx": processes of one name are alike.
std::string NameOf(const Finding& finding) {
  return finding.pids.empty() ? finding.subject
                              : finding.subject.substr(0, finding.subject.rfind('['));
}

// Of the same process, or of processes of one name whose fixes do not name them.
bool Alike(const Finding& a, const Finding& b) {
  return a.pids.empty() == b.pids.empty() && NameOf(a) == NameOf(b) &&
         std::tie(a.code, a.severity, a.headline, a.where, a.effect, a.in_force, a.reason) ==
             std::tie(b.code, b.severity, b.headline, b.where, b.effect, b.in_force, b.reason) &&
         std::equal(a.fixes.begin(), a.fixes.end(), b.fixes.begin(), b.fixes.end(), Same);
}

void AddPids(const std::vector<pid_t>& from, std::vector<pid_t>& to) {
  for (const pid_t pid : from) {
    if (std::find(to.begin(), to.end(), pid) == to.end()) to.push_back(pid);
  }
}

void NameAll(Finding& finding) {
  if (finding.pids.size() < 2) return;
  std::vector<pid_t> others(finding.pids.begin() + 1, finding.pids.end());
  const size_t count = others.size();
  const bool cut = count > kMostNamedProcesses;
  if (cut) others.resize(kMostNamedProcesses);
  absl::StrAppend(&finding.subject, " and ", count, " more like it (", absl::StrJoin(others, ", "),
                  cut ? ", …)" : ")");
}

}  // namespace

Finding MakeFinding(FindingCode code, std::string subject, std::string headline) {
  Finding finding;
  finding.code = code;
  finding.severity = EntryOf(code).severity;
  finding.subject = std::move(subject);
  finding.headline = std::move(headline);
  finding.why = EntryOf(code).why;
  return finding;
}

std::string OneLine(const Finding& finding) {
  return absl::StrCat(CodeName(finding.code), ": ", finding.subject, " ", finding.headline,
                      finding.effect.empty() ? "" : ": ", finding.effect);
}

std::vector<Finding> MergeAndOrder(std::vector<Finding> findings) {
  std::vector<Finding> merged;
  for (Finding& finding : findings) {
    const auto like = std::find_if(merged.begin(), merged.end(), [&finding](const Finding& other) {
      return Alike(other, finding);
    });
    if (like == merged.end()) {
      merged.push_back(std::move(finding));
    } else {
      AddPids(finding.pids, like->pids);
    }
  }
  for (Finding& finding : merged) {
    NameAll(finding);
    if (finding.fixes.empty()) finding.fixes = {{EntryOf(finding.code).fix, "", "", {}}};
  }
  std::stable_sort(merged.begin(), merged.end(), [](const Finding& a, const Finding& b) {
    return std::tie(b.severity, a.code, a.subject) < std::tie(a.severity, b.code, b.subject);
  });
  return merged;
}

}  // namespace pagewarden
