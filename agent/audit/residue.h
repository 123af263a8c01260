// SPDX-License-Identifier: Apache-2.0
// Who holds what is charged to a user and shown by none of its processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "agent/audit/process_row.h"
#include "agent/audit/uid_residue.h"
#include "agent/bpf/charged_files.h"

namespace pagewarden {

using Residues = std::map<uid_t, UidResidue>;

// Adds who holds them; each file counts once in explained_bytes. `rows` give the names.
void AddHolders(const std::vector<charged_file>& files, const std::vector<ProcessRow>& rows,
                Residues& residues);

// Not thread-safe.
class ResidueReader {
 public:
  // Without BPF there are locked segments only. The program is loaded when it is
  // first needed.
  explicit ResidueReader(bool use_bpf) : use_bpf_(use_bpf) {}

  // `charged` is Snapshot::residue, `use` that of all processes. Looks again when one of
  // them has changed, or after some time; else says what it said before.
  const Residues& Read(absl::Time now, const std::map<uid_t, uint64_t>& charged, IpcUse use,
                       const std::vector<ProcessRow>& rows);

  // Whether Read looks again because of the time: it then needs a row of every process.
  bool IsDue(absl::Time now) const;

  // Those that the last Read named: they need a row each time.
  void AddHolderPids(absl::flat_hash_set<pid_t>& pids) const;

  // What the last Read could not read, one line each.
  const std::vector<std::string>& unreadable() const { return unreadable_; }

  std::optional<HookReport> Report() const;

 private:
  absl::StatusOr<std::vector<charged_file>> ReadFiles();
  void AddFiles(const std::vector<ProcessRow>& rows);
  void AddSegments();

  bool use_bpf_;
  std::optional<ChargedFiles> bpf_;
  // What a second look would be told by.
  std::map<uid_t, uint64_t> charged_;
  IpcUse use_;
  absl::Time read_ = absl::InfinitePast();
  Residues residues_;
  std::vector<std::string> unreadable_;
};

}  // namespace pagewarden
