// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/doctor/doctor.h"

namespace pagewarden {
namespace {

constexpr char kIndent[] = "       ";

// "       where  …", further lines below the text.
void Row(std::string& out, absl::string_view label, absl::string_view text) {
  if (text.empty()) return;
  const std::string padding(label.size() < 7 ? 7 - label.size() : 1, ' ');
  bool first = true;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&out, kIndent, first ? absl::StrCat(label, padding) : "       ", line, "\n");
    first = false;
  }
}

std::string FixText(const Fix& fix) {
  std::vector<std::string> lines = {absl::StrCat(fix.summary, ":")};
  if (fix.file.empty() && fix.content.empty() && fix.commands.empty()) return fix.summary;
  if (!fix.file.empty()) lines.push_back(absl::StrCat("  in ", fix.file, ":"));
  for (absl::string_view line : absl::StrSplit(fix.content, '\n', absl::SkipEmpty())) {
    lines.push_back(absl::StrCat(fix.file.empty() ? "  " : "    ", line));
  }
  for (const std::string& command : fix.commands) lines.push_back(absl::StrCat("  $ ", command));
  return absl::StrJoin(lines, "\n");
}

void Append(std::string& out, const Finding& finding) {
  absl::StrAppend(&out, CodeName(finding.code), "  ", SeverityName(finding.severity), "  ",
                  finding.subject, " ", finding.headline, "\n");
  Row(out, "where", finding.where);
  Row(out, "effect", finding.effect);
  Row(out, "now", absl::StrJoin(finding.in_force, "\n"));
  std::vector<std::string> fixes;
  for (const Fix& fix : finding.fixes) fixes.push_back(FixText(fix));
  Row(out, "fix", absl::StrJoin(fixes, "\n"));
  Row(out, "check", finding.check);
  Row(out, "why",
      finding.reason.empty() ? finding.why : absl::StrCat(finding.why, " (", finding.reason, ")"));
  absl::StrAppend(&out, "\n");
}

std::string CountLine(const DoctorReport& report) {
  size_t counts[3] = {};
  for (const Finding& finding : report.findings) ++counts[static_cast<int>(finding.severity)];
  if (report.findings.empty()) return absl::StrCat(report.subject, ": nothing found");
  return absl::StrCat(report.subject, ": ", counts[2], counts[2] == 1 ? " error, " : " errors, ",
                      counts[1], counts[1] == 1 ? " warning, " : " warnings, ", counts[0],
                      " for information");
}

}  // namespace

std::string FormatDoctorText(const DoctorReport& report) {
  std::string out;
  for (const Finding& finding : report.findings) Append(out, finding);
  absl::StrAppend(&out, CountLine(report), "\n");
  for (const std::string& line : report.observed) absl::StrAppend(&out, "  observed  ", line, "\n");
  absl::StrAppend(&out, "  looked at ", absl::StrJoin(report.checked, "; "), "\n");
  return out;
}

}  // namespace pagewarden
