// SPDX-License-Identifier: Apache-2.0
#include "tests/adoption/shim.h"

#include <cstdio>
#include <cstdlib>

#include "preload/base/ledger.h"
#include "preload/base/mem.h"
#include "preload/calls/router.h"
#include "preload/fence/fence.h"
#include "preload/fence/fork.h"
#include "preload/rules/follow.h"
#include "preload/rules/rules.h"
#include "preload/rules/scopes.h"
#include "preload/rules/select.h"
#include "preload/rules/sites.h"

namespace pagewarden {
namespace {

void Require(bool good, const char* what) {
  if (good) return;
  fprintf(stderr, "cannot start: %s\n", what);
  abort();
}

}  // namespace

void StartFollowing(const std::string& path) {
  PolicyImage image;
  LiveWindow window = {};
  Require(PolicyImage::Map(path.c_str(), &image, &window) == abi::Uncovered::kNone, "image");
  Require(RegisterForkHandlers() && PrepareToFollow(window, false), "memory");
  const abi::PolicyEntry* policy = SelectPolicy(image, false, identity);
  Require(policy != nullptr && policy->arenas.count == 1, "policy");
  const abi::ArenaEntry& arena = image.arena(policy->arenas.first);
  CopyText(ledger.arenas[0].name, sizeof(ledger.arenas[0].name), image.text(arena.name),
           arena.name.bytes);
  void* page = nullptr;
  const Spares spares = SparesFor(*policy, true);
  const abi::Uncovered built =
      BuildFence(&arena, 1, spares.arenas, TagsOf(*policy) + spares.arenas + spares.rules, &page);
  Require(built == abi::Uncovered::kNone, "fence");
  FindScopes();
  RuleSet set = {};
  uint32_t tags = 0;
  Require(PrepareSites() && PrepareBookLists() && BuildRules(image, *policy, &tags, &set), "rules");
  WatchForks(page);
  SetRules(set);
  MarkRows(set, tags);
  Require(BindScopes() == CountScopes(), "hooks");
  SetState(abi::ShimState::kActive, abi::Uncovered::kNone);
  Follow(Following::kRules, tags);
}

bool IsFenced(const void* block) { return fence.Owns(block); }

__attribute__((noinline)) void* Malloc(size_t bytes) {
  const Routed routed = RouteAllocation(bytes, kAnyAlignment, *FrameAt(__builtin_frame_address(0)));
  return routed.route == Route::kNext ? malloc(bytes) : routed.block;
}

__attribute__((noinline)) void* Realloc(void* block, size_t bytes) {
  if (IsFenced(block)) return ReallocFenced(block, bytes);
  return RouteRealloc(block, bytes, *FrameAt(__builtin_frame_address(0)));
}

void Free(void* block) {
  if (IsFenced(block)) return FreeFenced(block);
  free(block);
}

}  // namespace pagewarden
