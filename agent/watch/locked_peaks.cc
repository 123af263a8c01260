// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/locked_peaks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "agent/base/unique_fd.h"
#include "agent/bpf/bpf_error.h"
#include "agent/bpf/hook_chooser.h"
#include "agent/bpf/map_entries.h"
#include "agent/bpf/program_constants.h"
#include "bpf/locked_peaks/locked_peaks.h"
#include "locked_peaks.skel.h"

namespace pagewarden {
namespace {

constexpr char kQuestion[] = "peaks";
constexpr char kEachChange[] = "tp_btf/mmap_lock_released";

// With `end`, which sees the end of an address space. The iterator comes first:
// HookLinks.first() is its link.
std::vector<std::string> Programs(const std::string& end, bool each_change) {
  std::vector<std::string> programs = {"sample", end, "on_cgroup_attach_task", "on_cgroup_rmdir",
                                       "on_sched_process_exit"};
  if (each_change) programs.push_back("on_mmap_lock_released");
  return programs;
}

std::vector<HookCandidate> Candidates() {
  return {
      {kEachChange, Programs("on_exit_mmap", true)},
      {"tp_btf/mmap_lock_released with fentry/exit_mmap", Programs("enter_exit_mmap", true)},
      {"iter/task with tp_btf/exit_mmap", Programs("on_exit_mmap", false)},
      {"iter/task with fentry/exit_mmap", Programs("enter_exit_mmap", false)},
  };
}

}  // namespace

struct LockedPeaks::Hook {
  HookChoice<locked_peaks_bpf> choice;
  bool sees_each_change = false;
  uint64_t page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
};

LockedPeaks::LockedPeaks(std::unique_ptr<Hook> hook) : hook_(std::move(hook)) {}
LockedPeaks::LockedPeaks(LockedPeaks&&) noexcept = default;
LockedPeaks& LockedPeaks::operator=(LockedPeaks&&) noexcept = default;
LockedPeaks::~LockedPeaks() = default;

absl::StatusOr<LockedPeaks> LockedPeaks::Open(std::optional<CgroupVersion> version,
                                              const PeakSizes& sizes, HookReport* report) {
  const auto configure = [&](locked_peaks_bpf& skeleton, const HookCandidate& candidate) {
    skeleton.rodata->hierarchy = HierarchyConstant(version);
    skeleton.rodata->agent_pid_ns = OwnPidNamespace();
    skeleton.rodata->sampled = absl::StartsWith(candidate.hook, "iter");
    bpf_map__set_max_entries(skeleton.maps.address_spaces, sizes.max_processes);
    bpf_map__set_max_entries(skeleton.maps.processes, sizes.max_processes);
    bpf_map__set_max_entries(skeleton.maps.cgroups, sizes.max_cgroups);
  };
  auto hook = std::make_unique<Hook>();
  hook->choice = ChooseHook<locked_peaks_bpf>(kQuestion, Candidates(), configure);
  *report = hook->choice.report;
  if (!hook->choice.hook) return hook->choice.status;
  hook->sees_each_change = !hook->choice.hook->rodata->sampled;
  LockedPeaks peaks(std::move(hook));
  if (absl::Status status = peaks.Sample(); !status.ok()) return status;
  return peaks;
}

absl::Status LockedPeaks::Sample() {
  const UniqueFd iterator(bpf_iter_create(bpf_link__fd(hook_->choice.links.first())));
  if (!iterator.ok()) return BpfError(errno, "starting the BPF task iterator");
  char unused[64];  // the program only looks
  ssize_t got = 0;
  do {
    got = read(iterator.get(), unused, sizeof(unused));
  } while (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)));
  return got == 0 ? absl::OkStatus() : BpfError(errno, "reading the BPF task iterator");
}

bool LockedPeaks::is_exact() const { return hook_->sees_each_change && Report().lost == 0; }

absl::flat_hash_map<pid_t, Peak> LockedPeaks::ByProcess() const {
  absl::flat_hash_map<pid_t, Peak> peaks;
  const bool exact = is_exact();
  const int fd = bpf_map__fd(hook_->choice.hook->maps.processes);
  for (const auto& [tgid, book] : MapEntries<__u32, process_book>(fd, BPF_F_LOCK)) {
    if (book.pid == 0) continue;
    peaks[static_cast<pid_t>(book.pid)] = {book.peak_pages * hook_->page_bytes, exact};
  }
  return peaks;
}

absl::flat_hash_map<uint64_t, Peak> LockedPeaks::ByCgroup() const {
  absl::flat_hash_map<uint64_t, Peak> peaks;
  const bool exact = is_exact();
  const int fd = bpf_map__fd(hook_->choice.hook->maps.cgroups);
  for (const auto& [id, book] : MapEntries<__u64, cgroup_book>(fd, BPF_F_LOCK)) {
    const auto pages = static_cast<uint64_t>(std::max<__s64>(book.peak_pages, 0));
    peaks[id] = {pages * hook_->page_bytes, exact};
  }
  return peaks;
}

HookReport LockedPeaks::Report() const {
  HookReport report = hook_->choice.Report();
  report.lost += hook_->choice.hook->bss->dropped;
  return report;
}

}  // namespace pagewarden
