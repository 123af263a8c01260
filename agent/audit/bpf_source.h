// SPDX-License-Identifier: Apache-2.0
// All processes from the BPF task iterator, as rows.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "agent/audit/process_row.h"
#include "agent/bpf/task_snapshot.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

struct BpfRows {
  std::vector<ProcessRow> rows;
  std::map<uid_t, uint64_t> residue;  // see Snapshot::residue
};

// One record as a row, the cgroup left empty.
ProcessRow RowOf(const task_record& record);

// Loads the iterator, reads it once and resolves cgroup ids. Errors of
// TaskSnapshot::Open; `hierarchy` may be null: the cgroups are then "/".
absl::StatusOr<BpfRows> ReadBpfRows(const CgroupHierarchy* hierarchy);

}  // namespace pagewarden
