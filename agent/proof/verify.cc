// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/verify.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/proc/memory.h"
#include "agent/proc/status.h"
#include "agent/proof/process_scan.h"
#include "agent/proof/process_stat.h"
#include "agent/proof/scanner.h"
#include "agent/proof/stopped_process.h"
#include "agent/proof/threads.h"

namespace pagewarden {
namespace {

constexpr int kMaxListings = 8;

bool IsAlive(pid_t pid) {
  const auto status = ReadStatus(pid);
  return status.ok() ? status->has_memory : !absl::IsNotFound(status.status());
}

struct Target {
  pid_t pid = 0;
  std::string comm;
  std::string who;  // for messages
  std::optional<StoppedProcess> stopped;
  absl::Status not_stopped;
};

class Verification {
 public:
  Verification(const NeedleSet& needles, const SearchOptions& options)
      : needles_(needles), options_(options), scanner_(needles) {}

  void Add(pid_t pid) {
    const auto status = ReadStatus(pid);
    Target target;
    target.pid = pid;
    target.comm = status.ok() ? status->comm : "?";
    target.who = absl::StrCat("process ", pid, " (", target.comm, ")");
    if (!options_.live) Stop(target);
    targets_.push_back(std::move(target));
  }

  void SearchAll() {
    for (Target& target : targets_) {
      const size_t before = result.processes.size();
      const absl::Status searched = Search(target);
      const bool is_gone = !IsAlive(target.pid);
      if (target.stopped.has_value()) {
        const absl::Duration held = target.stopped->Release();
        if (result.processes.size() > before) result.processes.back().stopped = held;
      }
      Complain(target, searched, is_gone);
    }
    targets_.clear();
  }

  VerifyResult result;

 private:
  static void Stop(Target& target) {
    auto stopped = StoppedProcess::Stop(target.pid);
    target.not_stopped = stopped.status();
    if (stopped.ok()) target.stopped.emplace(*std::move(stopped));
  }

  absl::Status Search(const Target& target) {
    auto mappings = ReadMappings(target.pid);
    if (!mappings.ok()) return mappings.status();
    auto scan = ScanProcess(target.pid, *mappings, needles_, scanner_);
    if (!scan.ok()) return scan.status();
    result.processes.push_back({target.pid, target.comm, std::nullopt});
    unreadable_ = std::move(scan->unreadable);
    if (!scan->copies.empty()) Locate(target, *std::move(mappings), scan->copies);
    return absl::OkStatus();
  }

  void Locate(const Target& target, std::vector<Mapping> mappings,
              const std::vector<Copy>& copies) {
    ProcessView view;
    view.pid = target.pid;
    view.shim = ReadShim(target, mappings);
    view.mappings = std::move(mappings);
    view.threads =
        target.stopped.has_value() ? target.stopped->threads() : ReadWaitingThreads(target.pid);
    view.stat = ReadProcessStat(target.pid).value_or(ProcessStat());
    const auto memory = ProcessMemory::Open(target.pid);
    const Places places(view, [&memory](uint64_t address, void* buffer, size_t bytes) {
      return memory.ok() ? memory->Read(address, buffer, bytes) : 0;
    });
    for (const Copy& copy : copies) {
      result.copies.push_back(Attribute(target.pid, copy, needles_, view.mappings, view.shim));
      const Place place = places.At(copy.address);
      result.copies.back().kind = place.kind;
      result.copies.back().stale = place.stale;
    }
  }

  std::optional<ShimState> ReadShim(const Target& target, const std::vector<Mapping>& mappings) {
    auto shim = ReadShimState(target.pid, mappings);
    if (shim.ok()) return *std::move(shim);
    result.warnings.push_back(
        absl::StrCat(target.who, " : its shim's ledger is not to be trusted, ",
                     "so nothing counts as fenced: ", shim.status().message()));
    return std::nullopt;
  }

  void Complain(const Target& target, const absl::Status& searched, bool is_gone) {
    const std::vector<std::string> unreadable = std::exchange(unreadable_, {});
    if (is_gone) {
      if (IsNamed(target.pid)) AddUnreadable(target, "exited before its memory was searched");
      return;
    }
    if (!searched.ok()) return AddUnreadable(target, WhyNotSearched(target, searched));
    for (const std::string& line : unreadable) AddUnreadable(target, line);
    if (target.not_stopped.ok()) return;
    result.warnings.push_back(absl::StrCat(target.who, " : searched while it ran, because ",
                                           target.not_stopped.message()));
  }

  static std::string WhyNotSearched(const Target& target, const absl::Status& searched) {
    if (!absl::IsPermissionDenied(searched)) return std::string(searched.message());
    return absl::StrCat(searched.message(), ": needs the same user or CAP_SYS_PTRACE",
                        target.not_stopped.ok() ? "" : "; ", target.not_stopped.message());
  }

  bool IsNamed(pid_t pid) const {
    return std::find(options_.named.begin(), options_.named.end(), pid) != options_.named.end();
  }

  void AddUnreadable(const Target& target, absl::string_view why) {
    result.unreadable.push_back(absl::StrCat(target.who, " : ", why));
  }

  const NeedleSet& needles_;
  const SearchOptions& options_;
  Scanner scanner_;
  std::vector<Target> targets_;
  std::vector<std::string> unreadable_;  // of the target that was searched last
};

}  // namespace

FoundCopy Attribute(pid_t pid, const Copy& copy, const NeedleSet& needles,
                    const std::vector<Mapping>& mappings, const std::optional<ShimState>& shim) {
  FoundCopy found;
  found.pid = pid;
  found.address = copy.address;
  found.bytes = copy.bytes;
  found.representation = needles[copy.needle].representation;
  found.secret = needles.Source(needles[copy.needle]);
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

absl::StatusOr<VerifyResult> Verify(const ProcessList& list, const NeedleSet& needles,
                                    const SearchOptions& options) {
  Verification verification(needles, options);
  std::set<pid_t> seen = {getpid()};
  for (int listing = 0; listing < kMaxListings; ++listing) {
    const auto pids = list();
    if (!pids.ok() && listing == 0) return pids.status();
    if (!pids.ok()) break;
    bool is_new = false;
    for (const pid_t pid : *pids) {
      if (!seen.insert(pid).second) continue;
      is_new = true;
      verification.Add(pid);
    }
    if (!is_new) break;
    if (options.live) verification.SearchAll();
  }
  verification.SearchAll();
  return std::move(verification.result);
}

}  // namespace pagewarden
