// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/cgroup_names.h"

#include <bpf/libbpf.h>
#include <linux/types.h>

#include <cstring>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/base/steady_now.h"
#include "agent/bpf/event_ring.h"
#include "agent/bpf/hook_chooser.h"
#include "agent/bpf/program_constants.h"
#include "bpf/cgroup_names/cgroup_names.h"
#include "cgroup_names.skel.h"

namespace pagewarden {
namespace {

constexpr uint32_t kRingBytes = 1 << 18;  // 900 changes between two looks
constexpr absl::Duration kBetweenWalks = absl::Seconds(1);
constexpr int kRoundsKept = 2;

}  // namespace

struct CgroupNames::State {
  void Walk();
  void Apply(const cgroup_record& record);
  void ForgetRemoved();

  const CgroupHierarchy* hierarchy = nullptr;
  HookChoice<cgroup_names_bpf> choice;
  std::optional<EventRing> ring;
  absl::flat_hash_map<uint64_t, std::string> paths;
  absl::flat_hash_map<uint64_t, int> removed;  // id → rounds left
  absl::Time last_walk = absl::InfinitePast();
};

void CgroupNames::State::Walk() {
  last_walk = SteadyNow();
  auto there = hierarchy->PathsById();
  if (!there.ok()) return;  // too many: those that the hook tells are named
  for (auto& [id, path] : *there) paths[id] = std::move(path);
}

void CgroupNames::State::Apply(const cgroup_record& record) {
  switch (record.change) {
    case CGROUP_MADE: {
      const auto parent = paths.find(record.parent);
      if (parent == paths.end()) return;  // a walk will find it
      const size_t bytes = strnlen(record.name, sizeof(record.name));
      absl::string_view above = parent->second;
      if (above == "/") above = "";
      std::string path = absl::StrCat(above, "/", absl::string_view(record.name, bytes));
      paths[record.id] = std::move(path);
      return;
    }
    case CGROUP_REMOVED:
      removed[record.id] = kRoundsKept;
      return;
    default:
      Walk();
  }
}

void CgroupNames::State::ForgetRemoved() {
  for (auto entry = removed.begin(); entry != removed.end();) {
    if (--entry->second > 0) {
      ++entry;
      continue;
    }
    paths.erase(entry->first);
    removed.erase(entry++);
  }
}

CgroupNames::CgroupNames(std::unique_ptr<State> state) : state_(std::move(state)) {}
CgroupNames::CgroupNames(CgroupNames&&) noexcept = default;
CgroupNames& CgroupNames::operator=(CgroupNames&&) noexcept = default;
CgroupNames::~CgroupNames() = default;

CgroupNames CgroupNames::Open(const CgroupHierarchy* hierarchy) {
  auto state = std::make_unique<State>();
  state->hierarchy = hierarchy;
  state->choice.report.question = "cgroup names";
  if (hierarchy == nullptr) return CgroupNames(std::move(state));
  const HookCandidate candidate = {"tp_btf/cgroup_mkdir",
                                   {"on_cgroup_mkdir", "on_cgroup_rmdir", "on_cgroup_rename"}};
  const auto configure = [&](cgroup_names_bpf& skeleton) {
    skeleton.rodata->hierarchy = HierarchyConstant(hierarchy->version());
    bpf_map__set_max_entries(skeleton.maps.events, kRingBytes);
  };
  state->choice = ChooseHook<cgroup_names_bpf>("cgroup names", {candidate}, configure);
  if (state->choice.hook) {
    auto ring = EventRing::Open(bpf_map__fd(state->choice.hook->maps.events));
    if (ring.ok()) state->ring = *std::move(ring);
  }
  state->Walk();
  return CgroupNames(std::move(state));
}

std::string CgroupNames::PathOf(uint64_t id) {
  if (state_->hierarchy == nullptr) return "";
  auto found = state_->paths.find(id);
  if (found == state_->paths.end() && SteadyNow() - state_->last_walk > kBetweenWalks) {
    state_->Walk();
    found = state_->paths.find(id);
  }
  return found == state_->paths.end() ? "" : found->second;
}

bool CgroupNames::IsThere(uint64_t id) const { return !state_->removed.contains(id); }

void CgroupNames::Refresh() {
  state_->ForgetRemoved();
  if (!state_->ring) return;
  state_->ring->Drain([this](absl::string_view bytes) {
    cgroup_record record;
    if (bytes.size() < sizeof(record)) return;
    memcpy(&record, bytes.data(), sizeof(record));
    state_->Apply(record);
  });
}

HookReport CgroupNames::Report() const {
  HookReport report = state_->choice.Report();
  if (state_->choice.hook) report.lost += state_->choice.hook->bss->lost;
  return report;
}

}  // namespace pagewarden
