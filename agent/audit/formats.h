// SPDX-License-Identifier: Apache-2.0
// An audit report as text.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/audit/report.h"

namespace pagewarden {

enum class GroupBy { kCgroup, kProcess, kUid };
enum class JsonLayout { kIndented, kLine };

// One JSON object, newline at the end; kLine: with `"type": "report"` and the time first,
// for JSON Lines. null means unlimited in limits and "no figure" in unevictableBytes. Bytes
// that are not UTF-8 become U+FFFD. The fields: docs/audit.md.
// A process with the shim has `shim` (docs/policy.md, "What the audit says"): the
// maps `fallbacks` of a rule and `violations` hold the counts above 0; of the arenas
// that may be asked for by name, `rules` holds those that were, with `byName: true`.
std::string FormatJson(const AuditReport& report, JsonLayout layout = JsonLayout::kIndented);

struct TableOptions {
  GroupBy by = GroupBy::kCgroup;
  // Also rows that neither lock nor pin memory, nor run the shim, nor (by uid) have a residue.
  bool all = false;
  std::optional<size_t> depth;  // cgroups deeper below the top are in their parent's row alone
};

// Aligned columns, largest first, what needs attention, and a line that says what was
// left out and where the numbers come from.
std::string FormatTableReport(const AuditReport& report, const TableOptions& options);

// One record a line, fields parted by tabs, no heading, bytes as plain numbers,
// "-" for unlimited or unknown. Every row, in the order of the report:
//   cgroup:  path kind processes locked pinned unevictable limit usage-ratio recommended shim
//            peak peak-quality, then of the subtree: processes locked pinned unevictable peak
//   process: pid comm uid cgroup locked pinned soft hard cap-ipc-lock drift usage-ratio shim
//            peak peak-quality ipc-lock may-raise
//   uid:     uid processes locked pinned residue shm-locked
std::string FormatPlain(const AuditReport& report, GroupBy by);

// The arithmetic of the recommended limit, a paragraph a cgroup that needs any.
std::string FormatExplanation(const AuditReport& report);

// Which hook answered which question, what was refused before it, and what it cost.
std::string FormatHooks(const std::vector<HookReport>& hooks);

// "nginx-tls-keys 3/3": active of selected processes; "uncovered: lock failed";
// "-" where no process has the shim. What keeps those 3 from being covered in full
// is in brackets behind it: "nginx-tls-keys 3/3 (1 not locked, 12 fallbacks)".
std::string ShimSummary(const std::vector<ProcessRow>& rows, const AuditReport& report = {});

struct UidTotals {
  size_t processes = 0;
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
  uint64_t residue_bytes = 0;
  uint64_t shm_locked_bytes = 0;
};

// Processes by effective uid, residues by the uid they are charged to.
std::map<uid_t, UidTotals> TotalsByUid(const AuditReport& report);

}  // namespace pagewarden
