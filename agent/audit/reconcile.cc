// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/reconcile.h"

#include "agent/proc/status.h"

namespace pagewarden {
namespace {

constexpr int kAttempts = 4;
// Each costs a pass over all processes. More than these differ only on a machine whose
// processes lock and unlock all the time.
constexpr size_t kMaxSuspects = 16;

bool Agrees(const ProcessRow& row, const ProcessStatus& status) {
  return row.locked_bytes == status.locked_bytes && row.pinned_bytes == status.pinned_bytes;
}

bool IsSame(const ProcessStatus& a, const ProcessStatus& b) {
  return a.locked_bytes == b.locked_bytes && a.pinned_bytes == b.pinned_bytes;
}

void AddDifference(const ProcessRow& row, const char* figure, uint64_t bpf, uint64_t proc,
                   std::vector<CounterDifference>& differences) {
  if (bpf == proc) return;
  differences.push_back({row.pid, row.comm, row.cgroup, figure, bpf, proc});
}

// Nothing is added for a process that ends meanwhile, or never holds still.
void LookAgain(pid_t pid, SnapshotReader& reader, std::vector<CounterDifference>& differences) {
  SnapshotOptions options;
  options.pids = {pid};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = ReadStatus(pid);
    const auto again = reader.Read(options);
    const auto after = ReadStatus(pid);
    if (!before.ok() || !after.ok() || !again.ok() || again->processes.size() != 1) return;
    if (!IsSame(*before, *after)) continue;
    const ProcessRow& row = again->processes[0];
    AddDifference(row, "VmLck", row.locked_bytes, after->locked_bytes, differences);
    AddDifference(row, "VmPin", row.pinned_bytes, after->pinned_bytes, differences);
    return;
  }
}

}  // namespace

std::vector<CounterDifference> Reconcile(const Snapshot& snapshot, SnapshotReader& reader) {
  std::vector<CounterDifference> differences;
  if (snapshot.source != "bpf") return differences;
  size_t suspects = 0;
  for (const ProcessRow& row : snapshot.processes) {
    if (row.reconciled || (row.locked_bytes == 0 && row.pinned_bytes == 0)) continue;
    const auto status = ReadStatus(row.pid);
    if (!status.ok() || Agrees(row, *status)) continue;
    if (++suspects > kMaxSuspects) break;
    LookAgain(row.pid, reader, differences);
  }
  return differences;
}

}  // namespace pagewarden
