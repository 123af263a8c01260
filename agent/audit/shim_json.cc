// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>

#include "agent/audit/json_parts.h"

namespace pagewarden {
namespace {

using Json = OrderedJson;

// The counts above 0, by their words.
template <size_t N>
Json CountsJson(const std::array<uint64_t, N>& counts, const std::array<const char*, N>& names) {
  Json json = Json::object();
  for (size_t i = 0; i < N; ++i) {
    if (counts[i] > 0) json[names[i]] = counts[i];
  }
  return json;
}

Json ArenaJson(const ShimArena& arena) {
  return {{"name", arena.name},
          {"capacityBytes", arena.capacity_bytes},
          {"usedBytes", arena.used_bytes},
          {"lockedBytes", arena.locked_bytes},
          {"liveAllocations", arena.live_allocations},
          {"fallbacks", arena.fallbacks},
          {"backing", BackingName(arena.backing)},
          {"peakPageBytes", arena.peak_page_bytes},
          {"growths", arena.growths}};
}

// Every arena may be asked for by name, and few are.
bool IsNotable(const ShimTag& tag) {
  return tag.is_rule || tag.total_allocations > 0 || tag.fallbacks != FallbackCounts{};
}

Json TagJson(const ShimTag& tag) {
  Json json = {{"name", tag.name},
               {"arena", tag.arena},
               {"liveAllocations", tag.live_allocations},
               {"liveBytes", tag.live_bytes},
               {"peakBytes", tag.peak_bytes},
               {"totalAllocations", tag.total_allocations},
               {"audited", tag.audited},
               {"fallbacks", CountsJson(tag.fallbacks, kFallbackNames)}};
  if (!tag.is_rule) json["byName"] = true;
  if (!tag.in_force) json["inForce"] = false;
  return json;
}

bool IsPinning(const ShimState& shim) {
  return shim.pinned_bytes > 0 || shim.unpinned_bytes > 0 || shim.pin_errors > 0;
}

Json PinnedJson(const ShimState& shim) {
  Json json = {{"lockedBytes", shim.pinned_bytes},
               {"unlockedBytes", shim.unpinned_bytes},
               {"errors", shim.pin_errors}};
  const char* const error = strerrorname_np(shim.pin_errno);
  if (shim.pin_errors > 0 && error != nullptr) json["lastError"] = error;
  return json;
}

}  // namespace

OrderedJson ShimJson(const ProcessRow& row) {
  if (!row.shim) {
    Json unknown = {{"policy", ""}, {"mode", ""}, {"arenas", Json::array()}};
    if (row.shim_unreadable) {
      unknown["unreadable"] = true;
    } else {
      unknown["uncovered"] = "invalid_ledger";
    }
    return unknown;
  }
  Json shim = {{"policy", row.shim->policy}, {"mode", row.shim->mode}, {"arenas", Json::array()}};
  for (const ShimArena& arena : row.shim->arenas) shim["arenas"].push_back(ArenaJson(arena));
  shim["rules"] = Json::array();
  for (const ShimTag& tag : row.shim->tags) {
    if (IsNotable(tag)) shim["rules"].push_back(TagJson(tag));
  }
  shim["relocks"] = row.shim->relocks;
  shim["lockErrors"] = row.shim->lock_errors;
  const char* const error = strerrorname_np(row.shim->lock_errno);
  if (row.shim->lock_errors > 0 && error != nullptr) shim["lastLockError"] = error;
  if (IsPinning(*row.shim)) shim["pinned"] = PinnedJson(*row.shim);
  shim["namespaces"] = row.shim->namespaces;
  if (row.shim->functions_in_executable > 0) {
    shim["functionsInExecutable"] = row.shim->functions_in_executable;
  }
  if (row.shim->generation > 0) {
    shim["generation"] = row.shim->generation;
    shim["rulesWaiting"] = row.shim->rules_waiting;
  }
  if (row.shim->follows_no_more) shim["followsNoMore"] = true;
  if (row.shim->images_refused > 0) shim["imagesRefused"] = row.shim->images_refused;
  if (row.shim->files_missed > 0) shim["filesMissed"] = row.shim->files_missed;
  if (row.shim->reentered_frees > 0) shim["reenteredFrees"] = row.shim->reentered_frees;
  shim["violations"] = CountsJson(row.shim->violations, kViolationNames);
  if (!row.shim->uncovered.empty()) shim["uncovered"] = row.shim->uncovered;
  return shim;
}

}  // namespace pagewarden
