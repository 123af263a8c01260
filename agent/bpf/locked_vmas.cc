// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/locked_vmas.h"

#include <optional>
#include <utility>
#include <vector>

#include "agent/bpf/array_walk.h"
#include "agent/bpf/hook_chooser.h"
#include "agent/bpf/iterator_read.h"
#include "locked_vmas.skel.h"
#include "locked_vmas_walk.skel.h"

namespace pagewarden {
namespace {

constexpr char kQuestion[] = "locked mappings";
constexpr char kWalkHook[] = "bpf_iter_task_vma";
constexpr char kIteratorHook[] = "iter/task_vma";
constexpr int kAttempts = 3;

using Walk = ArrayWalk<locked_vmas_walk_bpf, locked_vmas_record>;
using Records = absl::flat_hash_map<__u32, locked_vmas_record>;

bool IsOfOneMoment(const locked_vmas_record& record) {
  return (record.flags & LOCKED_UNREAD) == 0 && record.locked_pages == record.locked_after;
}

// The iterator gives a record a mapping.
void AddTo(locked_vmas_record& sum, const locked_vmas_record& mapping) {
  sum.locked_after = mapping.locked_after;
  if (mapping.locked_pages != sum.locked_pages || mapping.start_time_ns != sum.start_time_ns) {
    sum.flags |= LOCKED_UNREAD;  // the books were moved, or the pid is another's by now
  }
  for (int kind = 0; kind < LOCKED_KINDS; ++kind) sum.bytes[kind] += mapping.bytes[kind];
  sum.on_fault_bytes += mapping.on_fault_bytes;
}

}  // namespace

struct LockedVmas::Program {
  std::optional<Walk> walk;
  HookChoice<locked_vmas_bpf> iterator;
  std::vector<std::string> refused;

  absl::StatusOr<Records> ReadWalk() {
    if (absl::Status status = walk->Run(); !status.ok()) return status;
    Records records;
    for (const locked_vmas_record& record : walk->records()) records[record.pid] = record;
    return records;
  }
  absl::StatusOr<Records> ReadIteratorSums() {
    auto mappings =
        ReadIterator<locked_vmas_record>(iterator.links.first(), "the BPF mapping iterator");
    if (!mappings.ok()) return mappings.status();
    Records records;
    for (const locked_vmas_record& mapping : *mappings) {
      const auto [record, is_first] = records.try_emplace(mapping.pid, mapping);
      if (!is_first) AddTo(record->second, mapping);
    }
    return records;
  }
  absl::StatusOr<Records> Read() { return walk ? ReadWalk() : ReadIteratorSums(); }
};

LockedVmas::LockedVmas(std::unique_ptr<Program> program) : program_(std::move(program)) {}
LockedVmas::LockedVmas(LockedVmas&&) noexcept = default;
LockedVmas& LockedVmas::operator=(LockedVmas&&) noexcept = default;
LockedVmas::~LockedVmas() = default;

absl::StatusOr<LockedVmas> LockedVmas::Open() {
  auto program = std::make_unique<Program>();
  HookReport report;
  auto walk = Walk::Open(
      kQuestion, kWalkHook, [](auto&) {}, report);
  if (walk.ok()) {
    program->walk = *std::move(walk);
    return LockedVmas(std::move(program));
  }
  program->refused = std::move(report.refused);
  program->iterator =
      ChooseHook<locked_vmas_bpf>(kQuestion, {{kIteratorHook, {"mapping"}}}, [](auto&) {});
  if (!program->iterator.hook) return program->iterator.status;
  return LockedVmas(std::move(program));
}

absl::StatusOr<Records> LockedVmas::Read() {
  Records result;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto records = program_->Read();
    if (!records.ok()) return records.status();
    bool complete = true;
    for (const auto& [pid, record] : *records) {
      if (result.contains(pid)) continue;
      if (IsOfOneMoment(record)) {
        result[pid] = record;
      } else {
        complete = false;
      }
    }
    if (complete) break;
  }
  return result;
}

HookReport LockedVmas::Report() const {
  if (program_->walk) return program_->walk->Report();
  HookReport report = program_->iterator.Report();
  report.refused.insert(report.refused.begin(), program_->refused.begin(), program_->refused.end());
  return report;
}

}  // namespace pagewarden
