// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/locked_mappings.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

constexpr int kAttempts = 3;
// What changes neither VmLck nor VmSize (a file mapped over an anonymous range) is
// seen that much later.
constexpr absl::Duration kLifetime = absl::Seconds(30);

uint64_t PageBytes() {
  static const uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

// As the kernel names shared anonymous memory, memfd_create(2) and shmget(2).
bool IsShmem(absl::string_view name) {
  return absl::StartsWith(name, "/memfd:") || absl::StartsWith(name, "/SYSV") ||
         absl::StartsWith(name, "/dev/shm/") || absl::StartsWith(name, "/dev/zero (deleted)");
}

uint64_t& FieldOf(absl::string_view name, LockedMappings& sums) {
  if (name == "[heap]") return sums.heap_bytes;
  if (name == "[stack]") return sums.stack_bytes;
  if (absl::StartsWith(name, "/secretmem")) return sums.secret_bytes;
  if (IsShmem(name)) return sums.shmem_bytes;
  return absl::StartsWith(name, "/") ? sums.file_bytes : sums.anonymous_bytes;
}

LockedMappings SumsOf(const locked_vmas_record& record) {
  LockedMappings sums;
  sums.anonymous_bytes = record.bytes[LOCKED_ANONYMOUS];
  sums.heap_bytes = record.bytes[LOCKED_HEAP];
  sums.stack_bytes = record.bytes[LOCKED_STACK];
  sums.file_bytes = record.bytes[LOCKED_FILE];
  sums.shmem_bytes = record.bytes[LOCKED_SHMEM];
  sums.secret_bytes = record.bytes[LOCKED_SECRET];
  sums.on_fault_bytes = record.on_fault_bytes;
  return sums;
}

void Set(uint64_t locked_bytes, const LockedMappings& mappings, ProcessRow& row) {
  row.locked_bytes = locked_bytes;
  row.drift_bytes = DriftOf(locked_bytes, mappings);
  row.locked_mappings = mappings;
}

}  // namespace

LockedMappings SumLocked(const std::vector<Mapping>& mappings) {
  LockedMappings sums;
  for (const Mapping& mapping : mappings) {
    if (mapping.locked) FieldOf(mapping.name, sums) += mapping.end - mapping.start;
  }
  return sums;
}

int64_t DriftOf(uint64_t locked_bytes, const LockedMappings& mappings) {
  return static_cast<int64_t>(locked_bytes) - static_cast<int64_t>(mappings.TotalBytes());
}

// VmLck and smaps are two reads: only an unchanged VmLck around the second proves a
// difference.
absl::Status AddLockedMappingsFromProc(ProcessRow& row) {
  const pid_t task = TaskWithMemory(row.pid);
  auto before = ReadStatus(task);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (!before.ok()) return before.status();
    const auto mappings = ReadMappings(task);
    if (!mappings.ok()) return mappings.status();
    auto after = ReadStatus(task);
    if (!after.ok()) return after.status();
    if (before->locked_bytes == after->locked_bytes) {
      Set(after->locked_bytes, SumLocked(*mappings), row);
      return absl::OkStatus();
    }
    before = std::move(after);
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::flat_hash_map<__u32, locked_vmas_record>> LockedMappingsReader::ReadBpf() {
  if (!bpf_) {
    auto opened = LockedVmas::Open();
    use_bpf_ = opened.ok();
    if (!opened.ok()) return opened.status();
    bpf_ = *std::move(opened);
  }
  return bpf_->Read();
}

const LockedMappingsReader::Known* LockedMappingsReader::Find(const ProcessRow& row) const {
  const auto found = known_.find(row.pid);
  if (found == known_.end()) return nullptr;
  const Known& known = found->second;
  const bool same = known.start_time_ns == row.start_time_ns &&
                    known.locked_bytes == row.locked_bytes && known.total_bytes == row.total_bytes;
  return same ? &known : nullptr;
}

bool LockedMappingsReader::Recall(ProcessRow& row) const {
  const Known* const known = Find(row);
  if (known == nullptr) return false;
  row.locked_mappings = known->mappings;
  row.drift_bytes = known->drift_bytes;
  return true;
}

bool LockedMappingsReader::AllKnown(absl::Time now, const std::vector<ProcessRow>& rows) const {
  const bool fresh = now - read_ < kLifetime;
  return std::all_of(rows.begin(), rows.end(), [this, fresh](const ProcessRow& row) {
    // Without a start time it was not BPF that saw it.
    return row.locked_bytes == 0 || row.start_time_ns == 0 || (fresh && Find(row) != nullptr);
  });
}

void LockedMappingsReader::Refresh(absl::Time now, std::vector<ProcessRow>& rows) {
  const auto records = ReadBpf();
  if (!records.ok()) return;
  known_.clear();
  read_ = now;
  for (ProcessRow& row : rows) {
    const auto record = records->find(static_cast<__u32>(row.pid));
    if (record == records->end() || record->second.start_time_ns != row.start_time_ns) continue;
    Set(record->second.locked_pages * PageBytes(), SumsOf(record->second), row);
    known_[row.pid] = {row.start_time_ns, row.locked_bytes, row.total_bytes, *row.locked_mappings,
                       row.drift_bytes};
  }
}

void LockedMappingsReader::Add(absl::Time now, std::vector<ProcessRow>& rows, Failures& failures) {
  if (use_bpf_ && !AllKnown(now, rows)) Refresh(now, rows);
  for (ProcessRow& row : rows) {
    if (row.locked_bytes == 0 || row.locked_mappings || Recall(row)) continue;
    const absl::Status status = AddLockedMappingsFromProc(row);
    if (!status.ok() && !absl::IsNotFound(status)) failures.Add(row.pid, status);
  }
}

std::optional<HookReport> LockedMappingsReader::Report() const {
  if (!bpf_) return std::nullopt;
  return bpf_->Report();
}

}  // namespace pagewarden
