// SPDX-License-Identifier: Apache-2.0
// Runs a SEC("syscall") program `walk` that fills the mapped array `records` and
// counts in `found` how many there should be. The array grows until all fit.
//
//   auto walk = ArrayWalk<task_walk_bpf, task_record>::Open("snapshot", "bpf_iter_task",
//   configure); if (walk->Run().ok()) for (const task_record& record : walk->records()) …
#pragma once

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "agent/bpf/bpf_error.h"
#include "agent/bpf/hook_chooser.h"

namespace pagewarden {

// CPU time of the calling thread.
inline uint64_t ThreadTimeNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// Not thread-safe: one run at a time.
template <typename Skeleton, typename Record>
class ArrayWalk {
 public:
  using Configure = std::function<void(Skeleton&)>;

  // `report` gets the hook, or why it was refused. The error is the kernel's.
  static absl::StatusOr<ArrayWalk> Open(const std::string& question, const std::string& hook,
                                        Configure configure, HookReport& report) {
    ArrayWalk walk(question, hook, std::move(configure));
    const absl::Status status = walk.Load(kFirstCapacity);
    report = walk.choice_.report;
    if (!status.ok()) return status;
    return walk;
  }

  ArrayWalk(ArrayWalk&& other) noexcept { *this = std::move(other); }
  ArrayWalk& operator=(ArrayWalk&& other) noexcept {
    std::swap(question_, other.question_);
    std::swap(hook_, other.hook_);
    std::swap(configure_, other.configure_);
    std::swap(choice_, other.choice_);
    std::swap(mapped_, other.mapped_);
    std::swap(capacity_, other.capacity_);
    std::swap(runs_, other.runs_);
    std::swap(run_time_ns_, other.run_time_ns_);
    return *this;
  }
  ~ArrayWalk() { Unmap(); }

  // Fills records(). ResourceExhausted: there were more each time than the array had
  // just grown to hold, up to 17 times as many: they may be forking meanwhile.
  absl::Status Run() {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      if (absl::Status status = RunOnce(); !status.ok()) return status;
      const size_t found = choice_.hook->bss->found;
      if (found <= capacity_) return absl::OkStatus();
      if (absl::Status status = Load(found + (found / 4 << 2 * attempt)); !status.ok()) {
        return status;
      }
    }
    return absl::ResourceExhaustedError(absl::StrCat(hook_, ": the array is never large enough"));
  }

  // Of the last run; valid until the next one. The array is the kernel's: read once.
  absl::Span<const Record> records() const {
    return {mapped_, std::min<size_t>(choice_.hook->bss->found, capacity_)};
  }
  const Skeleton& skeleton() const { return *choice_.hook; }

  // The kernel keeps no statistics of such programs: these are ours, of the whole call.
  HookReport Report() const {
    HookReport report = choice_.report;
    report.runs = runs_;
    report.run_time_ns = run_time_ns_;
    return report;
  }

 private:
  static constexpr size_t kFirstCapacity = 1024;
  static constexpr int kAttempts = 4;

  ArrayWalk(std::string question, std::string hook, Configure configure)
      : question_(std::move(question)), hook_(std::move(hook)), configure_(std::move(configure)) {}

  static size_t MapBytes(size_t capacity) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return (capacity * sizeof(Record) + page - 1) / page * page;
  }

  void Unmap() {
    if (mapped_ != nullptr) munmap(const_cast<Record*>(mapped_), MapBytes(capacity_));
    mapped_ = nullptr;
  }

  absl::Status Load(size_t capacity) {
    Unmap();
    capacity_ = capacity;
    choice_ = ChooseHook<Skeleton>(question_, {{hook_, {"walk"}}}, [&](Skeleton& skeleton) {
      bpf_map__set_max_entries(skeleton.maps.records, static_cast<uint32_t>(capacity));
      configure_(skeleton);
    });
    if (!choice_.hook) return choice_.status;
    void* const mapped = mmap(nullptr, MapBytes(capacity), PROT_READ, MAP_SHARED,
                              bpf_map__fd(choice_.hook->maps.records), 0);
    if (mapped == MAP_FAILED) return BpfError(errno, absl::StrCat("mapping records of ", hook_));
    mapped_ = static_cast<const Record*>(mapped);
    return absl::OkStatus();
  }

  absl::Status RunOnce() {
    LIBBPF_OPTS(bpf_test_run_opts, options);
    const uint64_t before = ThreadTimeNs();
    const int error = bpf_prog_test_run_opts(bpf_program__fd(choice_.hook->progs.walk), &options);
    run_time_ns_ += ThreadTimeNs() - before;
    ++runs_;
    return error == 0 ? absl::OkStatus() : BpfError(-error, absl::StrCat("running ", hook_));
  }

  std::string question_;
  std::string hook_;
  Configure configure_;
  HookChoice<Skeleton> choice_;
  const Record* mapped_ = nullptr;
  size_t capacity_ = 0;
  uint64_t runs_ = 0;
  uint64_t run_time_ns_ = 0;
};

}  // namespace pagewarden
