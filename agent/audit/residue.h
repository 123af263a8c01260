// SPDX-License-Identifier: Apache-2.0
// Who holds what is charged to a user and shown by none of its processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

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

  // `charged` is Snapshot::residue. Looks again when that has changed, or a user's
  // SHM_LOCK, or after some time; else says what it said before.
  const Residues& Read(absl::Time now, const std::map<uid_t, uint64_t>& charged,
                       const std::vector<ProcessRow>& rows);

  // What the last Read could not read, one line each.
  const std::vector<std::string>& unreadable() const { return unreadable_; }

  std::optional<HookReport> Report() const;

 private:
  // What a second look would be told by.
  struct Signs {
    std::map<uid_t, uint64_t> charged;
    std::map<uint64_t, pid_t> namespaces;  // of ipc; the lowest pid in each
    uint64_t shm_locked_bytes = 0;         // sum over processes: only its changes matter

    bool operator==(const Signs& other) const;
  };

  static Signs SignsOf(const std::map<uid_t, uint64_t>& charged,
                       const std::vector<ProcessRow>& rows);
  absl::StatusOr<std::vector<charged_file>> ReadFiles();
  void AddFiles(const std::vector<ProcessRow>& rows);
  void AddSegments();

  bool use_bpf_;
  std::optional<ChargedFiles> bpf_;
  Signs signs_;
  absl::Time read_ = absl::InfinitePast();
  Residues residues_;
  std::vector<std::string> unreadable_;
};

}  // namespace pagewarden
