// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/verify.h"

#include <unistd.h>

#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/proc/status.h"
#include "agent/proof/process_scan.h"
#include "agent/proof/scanner.h"

namespace pagewarden {
namespace {

constexpr int kMaxListings = 8;

bool IsAlive(pid_t pid) {
  const auto status = ReadStatus(pid);
  return status.ok() ? status->has_memory : !absl::IsNotFound(status.status());
}

class Verification {
 public:
  explicit Verification(const NeedleSet& needles) : needles_(needles), scanner_(needles) {}

  void Search(pid_t pid) {
    const auto status = ReadStatus(pid);
    const std::string comm = status.ok() ? status->comm : "?";
    const std::string who = absl::StrCat("process ", pid, " (", comm, ")");
    const absl::Status searched = SearchMemory(pid, comm, who);
    if (!searched.ok() && IsAlive(pid)) {
      result.unreadable.push_back(absl::StrCat(who, " : ", searched.message()));
    }
  }

  VerifyResult result;

 private:
  absl::Status SearchMemory(pid_t pid, const std::string& comm, const std::string& who) {
    const auto mappings = ReadMappings(pid);
    if (!mappings.ok()) return mappings.status();
    auto scan = ScanProcess(pid, *mappings, needles_, scanner_);
    if (!scan.ok()) return scan.status();
    result.processes.push_back({pid, comm});
    if (IsAlive(pid)) {
      for (const std::string& line : scan->unreadable) {
        result.unreadable.push_back(absl::StrCat(who, " : ", line));
      }
    }
    if (scan->copies.empty()) return absl::OkStatus();
    const std::optional<ShimState> shim = ReadShim(pid, *mappings, who);
    for (const Copy& copy : scan->copies) {
      result.copies.push_back(Attribute(pid, copy, needles_, *mappings, shim));
    }
    return absl::OkStatus();
  }

  std::optional<ShimState> ReadShim(pid_t pid, const std::vector<Mapping>& mappings,
                                    const std::string& who) {
    auto shim = ReadShimState(pid, mappings);
    if (shim.ok()) return *std::move(shim);
    result.warnings.push_back(absl::StrCat(who, " : its shim's ledger is not to be trusted, so ",
                                           "nothing counts as fenced: ", shim.status().message()));
    return std::nullopt;
  }

  const NeedleSet& needles_;
  Scanner scanner_;
};

}  // namespace

FoundCopy Attribute(pid_t pid, const Copy& copy, const NeedleSet& needles,
                    const std::vector<Mapping>& mappings, const std::optional<ShimState>& shim) {
  FoundCopy found;
  found.pid = pid;
  found.address = copy.address;
  found.bytes = copy.bytes;
  found.representation = needles[copy.needle].representation;
  found.locked = true;
  found.dumpable = false;
  for (const Mapping& mapping : mappings) {
    if (mapping.end <= copy.address || mapping.start >= copy.end) continue;
    if (found.mapping.empty()) found.mapping = mapping.name.empty() ? "anon" : mapping.name;
    found.locked &= mapping.locked;
    found.dumpable |= mapping.dumpable;
  }
  if (!shim.has_value()) return found;
  for (const ShimArena& arena : shim->arenas) {
    const bool inside = copy.address >= arena.base &&
                        copy.address - arena.base < arena.capacity_bytes &&
                        copy.end - arena.base <= arena.capacity_bytes;
    if (!inside) continue;
    found.tag = absl::StrCat(shim->policy, "/", arena.name);
    found.fenced = shim->active && found.locked && !found.dumpable;
  }
  return found;
}

absl::StatusOr<VerifyResult> Verify(const std::function<absl::StatusOr<std::vector<pid_t>>()>& list,
                                    const NeedleSet& needles) {
  Verification verification(needles);
  std::set<pid_t> seen = {getpid()};
  for (int listing = 0; listing < kMaxListings; ++listing) {
    const auto pids = list();
    if (!pids.ok() && listing == 0) return pids.status();
    if (!pids.ok()) break;
    bool is_new = false;
    for (const pid_t pid : *pids) {
      if (!seen.insert(pid).second) continue;
      is_new = true;
      verification.Search(pid);
    }
    if (!is_new) break;
  }
  return std::move(verification.result);
}

}  // namespace pagewarden
