// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/residue.h"

#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "agent/audit/failures.h"
#include "agent/proc/status.h"
#include "agent/proc/sysv_shm.h"

namespace pagewarden {
namespace {

// A segment that outlived its processes shows in no sign, and files are shared and
// closed without one.
constexpr absl::Duration kLifetime = absl::Seconds(30);

const char* KindName(__u32 kind) {
  switch (kind) {
    case CHARGED_IO_URING:
      return "io_uring";
    case CHARGED_PERF:
      return "perf";
    case CHARGED_XDP:
      return "af_xdp";
    case CHARGED_SECRET:
      return "memfd_secret";
    case CHARGED_BPF:
      return "bpf";
    default:
      return "other";
  }
}

uint64_t BytesOf(const charged_file& file) {
  static const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return file.pages * page;
}

// Of one user, by process and kind. Two descriptors of one file are one charge.
struct Holding {
  ResidueHolder holder;
  absl::flat_hash_set<uint64_t> objects;
};
using Holdings = std::map<std::tuple<uid_t, pid_t, __u32>, Holding>;

Holdings Gather(const std::vector<charged_file>& files) {
  Holdings holdings;
  for (const charged_file& file : files) {
    const pid_t pid = static_cast<pid_t>(file.pid);
    Holding& holding = holdings[{file.uid, pid, file.kind}];
    holding.holder.kind = KindName(file.kind);
    holding.holder.pid = pid;
    ++holding.holder.files;
    if (holding.objects.insert(file.object).second) {
      holding.holder.bytes = holding.holder.bytes.value_or(0) + BytesOf(file);
    }
  }
  return holdings;
}

void Explain(const std::vector<charged_file>& files, Residues& residues) {
  absl::flat_hash_set<uint64_t> counted;
  for (const charged_file& file : files) {
    if (counted.insert(file.object).second) residues[file.uid].explained_bytes += BytesOf(file);
  }
  for (auto& [uid, residue] : residues) {
    residue.explained_bytes = std::min(residue.explained_bytes, residue.residue_bytes);
  }
}

// Of those that were quiet until now: they have no row.
void AddMissingNames(Residues& residues) {
  for (auto& [uid, residue] : residues) {
    for (ResidueHolder& holder : residue.holders) {
      if (!holder.comm.empty()) continue;
      auto status = ReadStatus(holder.pid);
      if (status.ok()) holder.comm = std::move(status->comm);
    }
  }
}

}  // namespace

void AddHolders(const std::vector<charged_file>& files, const std::vector<ProcessRow>& rows,
                Residues& residues) {
  absl::flat_hash_map<pid_t, const std::string*> names;
  for (const ProcessRow& row : rows) names[row.pid] = &row.comm;
  for (auto& [key, holding] : Gather(files)) {
    const auto name = names.find(holding.holder.pid);
    if (name != names.end()) holding.holder.comm = *name->second;
    residues[std::get<0>(key)].holders.push_back(std::move(holding.holder));
  }
  Explain(files, residues);
}

void IpcUse::Add(uint64_t ipc_namespace, pid_t pid, uint64_t user_shm_locked_bytes) {
  shm_locked_bytes += user_shm_locked_bytes;
  if (ipc_namespace == 0) return;
  pid_t& lowest = namespaces.try_emplace(ipc_namespace, pid).first->second;
  lowest = std::min(lowest, pid);
}

absl::StatusOr<std::vector<charged_file>> ResidueReader::ReadFiles() {
  if (!bpf_) {
    auto opened = ChargedFiles::Open();
    if (!opened.ok()) return opened.status();
    bpf_ = *std::move(opened);
  }
  return bpf_->Read();
}

void ResidueReader::AddFiles(const std::vector<ProcessRow>& rows) {
  if (residues_.empty() || !use_bpf_) return;
  const auto files = ReadFiles();
  if (files.ok()) {
    AddHolders(*files, rows, residues_);
    AddMissingNames(residues_);
  } else {
    unreadable_.push_back(
        absl::StrCat("who holds the residue of users (", files.status().message(), ")"));
  }
}

void ResidueReader::AddSegments() {
  const auto own = ReadIpcNamespace(getpid());
  const uint64_t own_namespace = own.value_or(0);
  std::map<uint64_t, pid_t> namespaces = use_.namespaces;
  namespaces[own_namespace] = getpid();
  Failures failures;
  for (const auto& [inode, pid] : namespaces) {
    auto segments = inode == own_namespace ? ReadLockedSegments() : ReadLockedSegmentsOf(pid);
    if (!segments.ok()) {
      // gone, or a kernel without System V shared memory
      if (!absl::IsNotFound(segments.status())) failures.Add(pid, segments.status());
      continue;
    }
    for (LockedSegment& segment : *segments) {
      segment.ipc_namespace = inode;
      UidResidue& residue = residues_[segment.owner];
      residue.shm_locked_bytes += segment.bytes;
      residue.segments.push_back(segment);
    }
  }
  failures.ReportTo(unreadable_, "System V segments in the ipc namespace", "; needs CAP_SYS_ADMIN");
}

bool ResidueReader::IsDue(absl::Time now) const { return now - read_ >= kLifetime; }

const Residues& ResidueReader::Read(absl::Time now, const std::map<uid_t, uint64_t>& charged,
                                    IpcUse use, const std::vector<ProcessRow>& rows) {
  if (!IsDue(now) && charged == charged_ && use == use_) return residues_;
  read_ = now;
  charged_ = charged;
  use_ = std::move(use);
  residues_.clear();
  unreadable_.clear();
  for (const auto& [uid, bytes] : charged) residues_[uid].residue_bytes = bytes;
  AddFiles(rows);
  AddSegments();
  return residues_;
}

void ResidueReader::AddHolderPids(absl::flat_hash_set<pid_t>& pids) const {
  for (const auto& [uid, residue] : residues_) {
    for (const ResidueHolder& holder : residue.holders) pids.insert(holder.pid);
    for (const LockedSegment& segment : residue.segments) pids.insert(segment.creator_pid);
  }
}

std::optional<HookReport> ResidueReader::Report() const {
  if (!bpf_) return std::nullopt;
  return bpf_->Report();
}

}  // namespace pagewarden
