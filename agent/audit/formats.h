// SPDX-License-Identifier: Apache-2.0
// An audit report as text.
#pragma once

#include <string>
#include <vector>

#include "agent/audit/report.h"

namespace pagewarden {

enum class GroupBy { kCgroup, kProcess, kUid };

// One JSON object, two-space indent, newline at the end. null means unlimited in
// limits and "no figure" in unevictableBytes. Bytes that are not UTF-8 become U+FFFD.
// A process with the shim has `shim` (docs/policy.md, "What the audit says"): the
// maps `fallbacks` of a rule and `violations` hold the counts above 0; of the arenas
// that may be asked for by name, `rules` holds those that were, with `byName: true`.
std::string FormatJson(const AuditReport& report);

// Aligned columns, largest first, and a line that says what was left out and
// where the numbers come from. Without `all`, only rows that lock or pin memory,
// run the shim, or (by uid) have a residue.
std::string FormatTableReport(const AuditReport& report, GroupBy by, bool all);

// One record a line, fields parted by tabs, no heading, bytes as plain numbers,
// "-" for unlimited or unknown. Every row, in the order of the report:
//   cgroup:  path kind processes locked pinned unevictable limit usage-ratio recommended shim
//   process: pid comm uid cgroup locked pinned soft hard cap-ipc-lock drift usage-ratio shim
//   uid:     uid processes locked pinned residue
std::string FormatPlain(const AuditReport& report, GroupBy by);

// "nginx-tls-keys 3/3": active of selected processes; "uncovered: lock failed";
// "-" where no process has the shim. What keeps those 3 from being covered in full
// is in brackets behind it: "nginx-tls-keys 3/3 (1 not locked, 12 fallbacks)".
std::string ShimSummary(const std::vector<ProcessRow>& rows);

struct UidTotals {
  size_t processes = 0;
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
  uint64_t residue_bytes = 0;
};

// Processes by effective uid, residues by the uid they are charged to.
std::map<uid_t, UidTotals> TotalsByUid(const AuditReport& report);

}  // namespace pagewarden
