// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/audit/formats.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

const char* NounOf(GroupBy by) {
  switch (by) {
    case GroupBy::kProcess:
      return "processes";
    case GroupBy::kUid:
      return "users";
    case GroupBy::kCgroup:
      break;
  }
  return "cgroups";
}

Table TableOf(const AuditReport& report, const TableOptions& options) {
  switch (options.by) {
    case GroupBy::kProcess:
      return ProcessTable(report, options);
    case GroupBy::kUid:
      return UidTable(report, options);
    case GroupBy::kCgroup:
      break;
  }
  return CgroupTable(report, options);
}

std::string SourceNote(const AuditReport& report) {
  std::string note = report.source == "bpf" ? "source: bpf" : "source: /proc";
  for (const HookReport& hook : report.hooks) {
    if (hook.question == "snapshot" && !hook.hook.empty()) {
      absl::StrAppend(&note, " (", hook.hook, ")");
    }
  }
  if (report.reconciled == 0) return note;
  return absl::StrCat(note, ", and /proc for ", report.reconciled,
                      report.reconciled == 1 ? " process" : " processes", " it does not show");
}

// Why there is nothing above this line, or what was left out.
std::string CountNote(const Table& table, GroupBy by) {
  if (table.of == 0) return absl::StrCat("no ", NounOf(by), ": no process is in the selection");
  if (table.rows == 0) {
    return absl::StrCat("none of ", table.of, " ", NounOf(by),
                        " locks or pins memory, or runs the shim (--all shows them)");
  }
  return absl::StrCat(table.rows, " of ", table.of, " ", NounOf(by), " shown",
                      table.rows < table.of ? " (--all for the rest)" : "");
}

std::string Footer(const AuditReport& report, const Table& table, GroupBy by) {
  uint64_t locked = 0;
  uint64_t pinned = 0;
  for (const CgroupRow& row : report.cgroups) {
    locked += row.own.locked_bytes;
    pinned += row.own.pinned_bytes;
  }
  return absl::StrCat(CountNote(table, by), "; locked ", HumanBytes(locked), ", pinned ",
                      HumanBytes(pinned), "; ", SourceNote(report), "\n");
}

}  // namespace

std::string FormatTableReport(const AuditReport& report, const TableOptions& options) {
  const Table table = TableOf(report, options);
  std::vector<std::string> blocks = {table.text,
                                     absl::StrCat(FindingLines(report), ResidueLines(report)),
                                     Footer(report, table, options.by)};
  std::string text;
  for (const std::string& block : blocks) {
    if (block.empty()) continue;
    absl::StrAppend(&text, text.empty() ? "" : "\n", block);
  }
  return text;
}

}  // namespace pagewarden
