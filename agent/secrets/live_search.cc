// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/live_search.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "agent/proc/memory.h"
#include "agent/proof/places.h"
#include "agent/proof/process_stat.h"
#include "agent/proof/threads.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;

// A ledger that is not to be trusted fences nothing.
std::optional<ShimState> ShimOf(pid_t pid, const std::vector<Mapping>& mappings) {
  auto shim = ReadShimState(pid, mappings);
  return shim.ok() ? *std::move(shim) : std::nullopt;
}

bool HasSecretMemory(const std::vector<Mapping>& mappings) {
  return std::any_of(mappings.begin(), mappings.end(), [](const Mapping& mapping) {
    return absl::StartsWith(mapping.name, "/secretmem");
  });
}

// The pages of the copies, in ascending ranges that do not overlap. `copies` are by address.
std::vector<AddressRange> PagesOf(const std::vector<Copy>& copies) {
  std::vector<AddressRange> pages;
  for (const Copy& copy : copies) {
    const uint64_t start = copy.address / kPageBytes * kPageBytes;
    const uint64_t end = (copy.end + kPageBytes - 1) / kPageBytes * kPageBytes;
    if (pages.empty() || pages.back().end < start) {
      pages.push_back({start, end});
    } else {
      pages.back().end = std::max(pages.back().end, end);
    }
  }
  return pages;
}

// The parts of the mappings that are in the ranges.
std::vector<Mapping> PartsIn(const std::vector<AddressRange>& ranges,
                             const std::vector<Mapping>& mappings) {
  std::vector<Mapping> parts;
  auto range = ranges.begin();
  for (const Mapping& mapping : mappings) {
    while (range != ranges.end() && range->end <= mapping.start) ++range;
    for (auto at = range; at != ranges.end() && at->start < mapping.end; ++at) {
      parts.push_back(mapping);
      parts.back().start = std::max(mapping.start, at->start);
      parts.back().end = std::min(mapping.end, at->end);
    }
  }
  return parts;
}

bool Holds(const std::vector<Copy>& copies, const Copy& wanted) {
  const auto at =
      std::lower_bound(copies.begin(), copies.end(), wanted.address,
                       [](const Copy& copy, uint64_t address) { return copy.address < address; });
  return at != copies.end() && at->address == wanted.address;
}

}  // namespace

absl::StatusOr<LookResult> LiveSearch::Look(pid_t pid) const {
  const auto stat = ReadProcessStat(pid);
  if (!stat.ok()) return stat.status();
  const auto mappings = ReadMappings(pid);
  if (!mappings.ok()) return mappings.status();
  auto scan = ScanProcess(pid, *mappings, needles_, scanner_, options_);
  if (!scan.ok()) return scan.status();
  LookResult seen;
  seen.pid = pid;
  seen.start_ticks = stat->start_ticks;
  seen.unreadable = std::move(scan->unreadable);
  seen.has_secret_memory = HasSecretMemory(*mappings);
  if (scan->copies.empty()) return seen;
  // Read after the scan: what the arenas have grown by meanwhile belongs to them.
  const auto now = ReadMappings(pid);
  if (!now.ok()) return now.status();
  const std::optional<ShimState> shim = ShimOf(pid, *now);
  for (const Copy& copy : scan->copies) {
    const FoundCopy found = Attribute(pid, copy, needles_, *now, shim);
    if (found.fenced) {
      ++seen.fenced[found.secret];
    } else if (seen.unfenced.size() < kMaxUnfencedCopies) {
      seen.unfenced.push_back(copy);
    }
  }
  return seen;
}

absl::StatusOr<std::vector<FoundCopy>> LiveSearch::LookAgain(const LookResult& seen) const {
  std::vector<FoundCopy> lasting;
  const auto stat = ReadProcessStat(seen.pid);
  if (!stat.ok() || stat->start_ticks != seen.start_ticks) return lasting;
  auto mappings = ReadMappings(seen.pid);
  if (!mappings.ok()) return mappings.status();
  const auto scan = ScanProcess(seen.pid, PartsIn(PagesOf(seen.unfenced), *mappings), needles_,
                                scanner_, options_);
  if (!scan.ok()) return scan.status();
  const auto memory = ProcessMemory::Open(seen.pid);
  std::optional<ShimState> shim = ShimOf(seen.pid, *mappings);
  const ProcessView view = {seen.pid, *std::move(mappings), ReadWaitingThreads(seen.pid), *stat,
                            std::move(shim)};
  const Places places(view, [&memory](uint64_t address, void* buffer, size_t bytes) {
    return memory.ok() ? memory->Read(address, buffer, bytes) : 0;
  });
  for (const Copy& copy : scan->copies) {
    if (!Holds(seen.unfenced, copy)) continue;
    FoundCopy found = Attribute(seen.pid, copy, needles_, view.mappings, view.shim);
    if (found.fenced) continue;
    const Place place = places.At(copy.address);
    found.kind = place.kind;
    found.stale = place.stale;
    lasting.push_back(std::move(found));
  }
  return lasting;
}

}  // namespace pagewarden
