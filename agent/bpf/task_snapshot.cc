// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/task_snapshot.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "agent/bpf/bpf_error.h"
#include "task_snapshot.skel.h"

namespace pagewarden {

struct TaskSnapshot::Program {
  ~Program() {
    bpf_link__destroy(link);
    task_snapshot_bpf__destroy(skeleton);
  }
  task_snapshot_bpf* skeleton = nullptr;
  bpf_link* link = nullptr;
};

namespace {

constexpr size_t kRecordsPerRead = 1024;

__u32 HierarchyOf(std::optional<CgroupVersion> version) {
  if (!version) return CGROUP_HIERARCHY_NONE;
  return *version == CgroupVersion::kV2 ? CGROUP_HIERARCHY_V2 : CGROUP_HIERARCHY_V1_MEMORY;
}

}  // namespace

TaskSnapshot::TaskSnapshot(std::unique_ptr<Program> program) : program_(std::move(program)) {}
TaskSnapshot::TaskSnapshot(TaskSnapshot&&) noexcept = default;
TaskSnapshot& TaskSnapshot::operator=(TaskSnapshot&&) noexcept = default;
TaskSnapshot::~TaskSnapshot() = default;

absl::StatusOr<TaskSnapshot> TaskSnapshot::Open(std::optional<CgroupVersion> version) {
  SilenceLibbpf();
  auto program = std::make_unique<Program>();
  program->skeleton = task_snapshot_bpf__open();
  if (program->skeleton == nullptr) return BpfError(errno, "opening the BPF task iterator");
  program->skeleton->rodata->hierarchy = HierarchyOf(version);
  if (const int error = task_snapshot_bpf__load(program->skeleton)) {
    return BpfError(-error, "loading the BPF task iterator");
  }
  program->link = bpf_program__attach_iter(program->skeleton->progs.snapshot, nullptr);
  if (program->link == nullptr) return BpfError(errno, "attaching the BPF task iterator");
  return TaskSnapshot(std::move(program));
}

absl::StatusOr<std::vector<task_record>> TaskSnapshot::Read() const {
  const int fd = bpf_iter_create(bpf_link__fd(program_->link));
  if (fd < 0) return BpfError(errno, "starting the BPF task iterator");
  absl::Cleanup close_fd = [fd] { close(fd); };

  std::vector<task_record> records;
  size_t used = 0;  // bytes: a read may end within a record
  for (;;) {
    records.resize(used / sizeof(task_record) + kRecordsPerRead);
    const ssize_t got = read(fd, reinterpret_cast<char*>(records.data()) + used,
                             records.size() * sizeof(task_record) - used);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return BpfError(errno, "reading the BPF task iterator");
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  if (used % sizeof(task_record) != 0) {
    return absl::DataLossError("the BPF task iterator ended within a record");
  }
  records.resize(used / sizeof(task_record));
  return records;
}

}  // namespace pagewarden
