// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/run.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace truth {
namespace {

constexpr int kResidueReads = 50;

uint64_t LeakedBytes(const Board& board) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < board.slots; ++i) bytes += board.of[i].leaked_bytes;
  return bytes;
}

}  // namespace

Run::Run(Board& board, const CgroupTree& tree, int board_fd, std::string program, bool uses_bpf)
    : board_(board),
      tree_(tree),
      fleet_(board, board_fd),
      program_(std::move(program)),
      uses_bpf_(uses_bpf) {
  if (uses_bpf) sources_.insert(sources_.begin(), "bpf");
}

absl::Status Run::Go(const Options& options) {
  if (uses_bpf_) {
    auto peaks = Peaks::Open();
    if (!peaks.ok()) return peaks.status();
    peaks_ = *std::move(peaks);
  }
  const absl::Duration part = absl::Seconds(options.seconds) / options.stops;
  for (uint32_t stop = 1; stop <= options.stops; ++stop) {
    if (absl::Status status = Work(part); !status.ok()) return status;
    if (absl::Status status = fleet_.Pause(); !status.ok()) return status;
    Compare(stop);
    fleet_.Resume();
  }
  return absl::OkStatus();
}

bool Run::has_differences() const {
  return comparison_.differences() > 0 || (peaks_ && peaks_->comparison().differences() > 0);
}

absl::Status Run::Work(absl::Duration duration) {
  const absl::Time end = absl::Now() + duration;
  while (absl::Now() < end) {
    if (absl::Status status = fleet_.Tend(); !status.ok()) return status;
    if (peaks_) peaks_->Poll(absl::ZeroDuration());
    absl::SleepFor(absl::Milliseconds(2));
  }
  return absl::OkStatus();
}

void Run::Compare(uint32_t stop) {
  const ProcTruths truths = ReadAll(board_, comparison_);
  CompareBooks(board_, truths, comparison_);
  for (const std::string& source : sources_) CompareSource(source, truths);
  if (peaks_) peaks_->Compare(board_, tree_);
  most_leaked_bytes_ = std::max(most_leaked_bytes_, LeakedBytes(board_));
  PrintStop(stop, truths);
}

void Run::CompareSource(const std::string& source, const ProcTruths& truths) {
  auto audit = RunAudit(program_, source, tree_.paths[0]);
  if (!audit.ok()) return comparison_.Fail(audit.status().ToString());
  is_detailed_ = is_detailed_ && audit->is_detailed;
  CompareAudit(board_, tree_, truths, *audit, comparison_);
  if (source == "bpf") CompareResidue(*std::move(audit));
}

// The kernel releases the rings of those who have ended by workers of its own, and is not
// done when they are reaped: only that is waited for.
void Run::CompareResidue(AuditOutput audit) {
  const uint64_t expected = ChargedToUser(board_);
  for (int i = 0; i < kResidueReads && audit.users[board_.user].residue_bytes != expected; ++i) {
    absl::SleepFor(absl::Milliseconds(100));
    auto again = RunAudit(program_, "bpf", tree_.paths[0]);
    if (!again.ok()) return comparison_.Fail(again.status().ToString());
    audit = *std::move(again);
    ++residue_reads_;
  }
  const AuditedUser& user = audit.users[board_.user];
  comparison_.Equal("audit, the workers' user", "residue", expected, user.residue_bytes);
  if (!audit.is_detailed) return;
  comparison_.Equal("audit, the workers' user", "explained", expected, user.explained_bytes);
}

void Run::PrintStop(uint32_t stop, const ProcTruths& truths) const {
  uint64_t locked = 0;
  uint64_t pinned = 0;
  for (const auto& [pid, truth] : truths) {
    locked += truth.locked_bytes;
    pinned += truth.pinned_bytes;
  }
  absl::PrintF(
      "stop %d: locked %d KiB, pinned %d KiB, residue %d KiB, drift %d KiB; %d differences\n", stop,
      locked >> 10, pinned >> 10, ChargedToUser(board_) >> 10, LeakedBytes(board_) >> 10,
      comparison_.differences() + (peaks_ ? peaks_->comparison().differences() : 0));
  fflush(stdout);
}

void Run::PrintOperations() const {
  std::vector<std::string> kinds;
  for (uint32_t i = 0; i < kKinds; ++i) {
    kinds.push_back(absl::StrCat(kKindNames[i], " ", board_.operations[i].load()));
  }
  absl::PrintF("operations: %s; %d calls refused, as they had to be\n", absl::StrJoin(kinds, ", "),
               board_.refused.load());
}

void Run::PrintPeaks() const {
  if (!peaks_) return;
  const pagewarden::HookReport hook = peaks_->hook();
  absl::PrintF(
      "peaks: %d compared, %d of them exact, %d differences; by %s, %d changes lost; %d other "
      "events\n",
      peaks_->comparison().figures(), peaks_->exact(), peaks_->comparison().differences(),
      hook.hook, hook.lost, peaks_->events());
}

void Run::PrintSummary(const Options& options) const {
  uint64_t operations = 0;
  for (const auto& of_kind : board_.operations) operations += of_kind;
  PrintOperations();
  if (!is_detailed_) {
    absl::PrintF("LEFT OUT subtrees, kinds, segments, findings: the audit does not report them\n");
  }
  absl::PrintF("drift: %d KiB leaked by the one process that provokes it%s\n",
               most_leaked_bytes_ >> 10,
               most_leaked_bytes_ == 0 ? " (this kernel does not leak)" : "");
  absl::PrintF("residue: read again %d times until the kernel had let go of closed rings\n",
               residue_reads_);
  absl::PrintF(
      "%d processes, %d cgroups, %d s, %d operations, %d stops, sources %s: %d figures compared, "
      "%d differences\n",
      options.processes, kCgroups, options.seconds, operations, options.stops,
      absl::StrJoin(sources_, " and "), comparison_.figures(), comparison_.differences());
  PrintPeaks();
}

}  // namespace truth
