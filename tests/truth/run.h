// SPDX-License-Identifier: Apache-2.0
// One run: works, stops, compares, and sums up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/truth/audit_checks.h"
#include "tests/truth/audit_output.h"
#include "tests/truth/cgroup_tree.h"
#include "tests/truth/checks.h"
#include "tests/truth/comparison.h"
#include "tests/truth/fleet.h"
#include "tests/truth/peaks.h"

namespace truth {

struct Options {
  uint32_t processes = 200;
  uint32_t seconds = 60;  // of work, between the stops
  uint32_t stops = 20;
  uint64_t seed = 0;
};

class Run {
 public:
  // `program`: pagewarden. `uses_bpf`: as a source, and for peaks.
  Run(Board& board, const CgroupTree& tree, int board_fd, std::string program, bool uses_bpf);

  // An error ends the run early; differences do not.
  absl::Status Go(const Options& options);

  void PrintSummary(const Options& options) const;
  bool has_differences() const;

 private:
  absl::Status Work(absl::Duration duration);
  void Compare(uint32_t stop);
  void CompareSource(const std::string& source, const ProcTruths& truths);
  void CompareResidue(AuditOutput audit);
  void PrintStop(uint32_t stop, const ProcTruths& truths) const;
  void PrintOperations() const;
  void PrintPeaks() const;

  Board& board_;
  const CgroupTree& tree_;
  Fleet fleet_;
  std::string program_;
  std::vector<std::string> sources_ = {"proc"};
  bool uses_bpf_;
  Comparison comparison_;
  std::optional<Peaks> peaks_;
  bool is_detailed_ = true;  // all audits were
  uint64_t residue_reads_ = 0;
  uint64_t most_leaked_bytes_ = 0;
};

}  // namespace truth
