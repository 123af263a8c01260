// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/details.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

constexpr char kShimName[] = "libpagewarden.so";
constexpr int kDriftAttempts = 3;

// VmLck and smaps are two reads: only an unchanged VmLck around the second
// proves a difference. A process that never holds still counts as drift-free.
absl::StatusOr<int64_t> MeasureDrift(pid_t pid) {
  auto before = ReadStatus(pid);
  for (int attempt = 0; attempt < kDriftAttempts; ++attempt) {
    if (!before.ok()) return before.status();
    const auto mappings = ReadMappings(pid);
    if (!mappings.ok()) return mappings.status();
    auto after = ReadStatus(pid);
    if (!after.ok()) return after.status();
    if (before->locked_bytes == after->locked_bytes) {
      return DriftOf(after->locked_bytes, *mappings);
    }
    before = std::move(after);
  }
  return 0;
}

absl::Status AddShimState(ProcessRow& row, bool last_attempt) {
  const auto mappings = ReadMappingsWithoutFlags(row.pid);
  if (!mappings.ok()) return mappings.status();
  const bool mapped = std::any_of(mappings->begin(), mappings->end(), [](const Mapping& mapping) {
    return absl::StrContains(mapping.name, kShimName);
  });
  if (!mapped) return absl::OkStatus();
  auto state = ReadShimState(row.pid, *mappings);
  if (absl::IsDataLoss(state.status())) {
    // Mappings and ledger are two reads; a shim that was just starting has moved on.
    if (!last_attempt) return AddShimState(row, true);
    row.shim_loaded = true;
    return absl::OkStatus();
  }
  if (!state.ok()) return state.status();
  row.shim_loaded = state->has_value();
  row.shim = *std::move(state);
  return absl::OkStatus();
}

}  // namespace

int64_t DriftOf(uint64_t locked_bytes, const std::vector<Mapping>& mappings) {
  int64_t drift = static_cast<int64_t>(locked_bytes);
  for (const Mapping& mapping : mappings) {
    if (mapping.locked) drift -= static_cast<int64_t>(mapping.end - mapping.start);
  }
  return drift;
}

absl::Status AddDetails(ProcessRow& row) {
  row.exe = ReadExe(row.pid);
  absl::Status problem = AddShimState(row, /*last_attempt=*/false);
  if (row.locked_bytes > 0) {
    const auto drift = MeasureDrift(row.pid);
    if (drift.ok()) row.drift_bytes = *drift;
    if (problem.ok()) problem = drift.status();
  }
  return absl::IsNotFound(problem) ? absl::OkStatus() : problem;
}

}  // namespace pagewarden
