// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {

Table UidTable(const AuditReport& report, const TableOptions& options) {
  std::vector<std::vector<std::string>> cells = {
      {"UID", "PROCS", "LOCKED", "PINNED", "RESIDUE", "SHM_LOCK"}};
  const auto totals = TotalsByUid(report);
  for (const auto& [uid, total] : totals) {
    const uint64_t any =
        total.locked_bytes | total.pinned_bytes | total.residue_bytes | total.shm_locked_bytes;
    if (!options.all && any == 0) continue;
    cells.push_back({absl::StrCat(uid), absl::StrCat(total.processes),
                     HumanBytes(total.locked_bytes), HumanBytes(total.pinned_bytes),
                     report.source == "bpf" ? HumanBytes(total.residue_bytes) : "-",
                     HumanBytes(total.shm_locked_bytes)});
  }
  Table table;
  table.rows = cells.size() - 1;
  table.of = totals.size();
  if (table.rows > 0) table.text = FormatTable(std::vector<Align>(6, Align::kRight), cells);
  return table;
}

}  // namespace pagewarden
