// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/task_snapshot.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "agent/bpf/array_walk.h"
#include "agent/bpf/hook_chooser.h"
#include "agent/bpf/iterator_read.h"
#include "task_snapshot.skel.h"
#include "task_walk.skel.h"

namespace pagewarden {
namespace {

constexpr char kQuestion[] = "snapshot";
constexpr char kWalkHook[] = "bpf_iter_task";
constexpr char kIteratorHook[] = "iter/task";

using Walk = ArrayWalk<task_walk_bpf, task_record>;

__u32 HierarchyOf(std::optional<CgroupVersion> version) {
  if (!version) return CGROUP_HIERARCHY_NONE;
  return *version == CgroupVersion::kV2 ? CGROUP_HIERARCHY_V2 : CGROUP_HIERARCHY_V1_MEMORY;
}

// Of a process without its main thread there is a record for each of the others.
void KeepFirstOfEach(std::vector<task_record>& records) {
  absl::flat_hash_set<__u32> seen;
  const auto is_known = [&seen](const task_record& record) {
    return !seen.insert(record.pid).second;
  };
  records.erase(std::remove_if(records.begin(), records.end(), is_known), records.end());
}

}  // namespace

struct TaskSnapshot::Program {
  std::optional<Walk> walk;
  HookChoice<task_snapshot_bpf> iterator;
  std::vector<task_record> records;  // of the iterator
  std::vector<std::string> refused;
};

TaskSnapshot::TaskSnapshot(std::unique_ptr<Program> program) : program_(std::move(program)) {}
TaskSnapshot::TaskSnapshot(TaskSnapshot&&) noexcept = default;
TaskSnapshot& TaskSnapshot::operator=(TaskSnapshot&&) noexcept = default;
TaskSnapshot::~TaskSnapshot() = default;

absl::StatusOr<TaskSnapshot> TaskSnapshot::Open(std::optional<CgroupVersion> version,
                                                TaskHook hook) {
  const auto configure = [version](auto& skeleton) {
    skeleton.rodata->hierarchy = HierarchyOf(version);
  };
  auto program = std::make_unique<Program>();
  absl::Status refusal;
  if (hook != TaskHook::kIterator) {
    HookReport report;
    auto walk = Walk::Open(kQuestion, kWalkHook, configure, report);
    if (walk.ok()) {
      program->walk = *std::move(walk);
      return TaskSnapshot(std::move(program));
    }
    program->refused = std::move(report.refused);
    refusal = walk.status();
  }
  if (hook == TaskHook::kWalk) return refusal;
  program->iterator =
      ChooseHook<task_snapshot_bpf>(kQuestion, {{kIteratorHook, {"snapshot"}}}, configure);
  if (!program->iterator.hook) return program->iterator.status;
  return TaskSnapshot(std::move(program));
}

absl::StatusOr<absl::Span<const task_record>> TaskSnapshot::Read() const {
  if (program_->walk) {
    if (absl::Status status = program_->walk->Run(); !status.ok()) return status;
    return program_->walk->records();
  }
  auto records =
      ReadIterator<task_record>(program_->iterator.links.first(), "the BPF task iterator");
  if (!records.ok()) return records.status();
  program_->records = *std::move(records);
  KeepFirstOfEach(program_->records);
  return program_->records;
}

HookReport TaskSnapshot::Report() const {
  if (program_->walk) return program_->walk->Report();
  HookReport report = program_->iterator.Report();
  report.refused.insert(report.refused.begin(), program_->refused.begin(), program_->refused.end());
  return report;
}

}  // namespace pagewarden
