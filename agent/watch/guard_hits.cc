// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/guard_hits.h"

#include <bpf/libbpf.h>
#include <linux/types.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/bpf/event_ring.h"
#include "agent/bpf/hook_chooser.h"
#include "agent/bpf/program_constants.h"
#include "agent/proc/mappings.h"
#include "agent/shim/ledger_validation.h"
#include "agent/watch/guard_place.h"
#include "agent/watch/shim_finder.h"
#include "bpf/guard_hits/guard_hits.h"
#include "guard_hits.skel.h"
#include "guard_hits_known.skel.h"
#include "preload/abi/ledger.h"

namespace pagewarden {
namespace {

constexpr char kQuestion[] = "guard hits";

// What bpf/guard_hits/faults.h takes for granted.
static_assert(sizeof(abi::Ledger) == GUARD_LEDGER_BYTES);
static_assert(offsetof(abi::Ledger, self) == 16 && offsetof(abi::Ledger, fence_base) == 104 &&
              offsetof(abi::Ledger, fence_bytes) == 112);

absl::Time TimeOf(__u64 monotonic_ns) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const absl::Duration age =
      absl::DurationFromTimespec(now) - absl::Nanoseconds(static_cast<int64_t>(monotonic_ns));
  return absl::Now() - age;
}

template <size_t N>
std::string TextOf(const char (&field)[N]) {
  return std::string(field, strnlen(field, N));
}

// Of a process that handles the signal and lives on.
void FindModule(pid_t pid, uint64_t instruction, GuardHit& hit) {
  const auto mappings = ReadMappingsWithoutFlags(pid);
  if (!mappings.ok()) return;
  for (const Mapping& mapping : *mappings) {
    if (instruction < mapping.start || instruction >= mapping.end) continue;
    hit.module = mapping.name.substr(mapping.name.rfind('/') + 1);
    hit.module_offset = instruction - mapping.start + mapping.file_offset;
  }
}

std::optional<GuardEvent> EventOf(const guard_record& record) {
  const absl::string_view ledger(record.ledger, sizeof(record.ledger));
  const auto header = ValidateLedger(ledger, record.ledger_address);
  if (!header.ok()) return std::nullopt;
  GuardEvent event;
  event.hit.address = record.address;
  event.hit.place = GuardPlace(header->state, record.address);
  if (event.hit.place.empty()) return std::nullopt;
  event.hit.module = TextOf(record.place.name);
  event.hit.module_offset = record.place.offset;
  event.time = TimeOf(record.time_ns);
  event.pid = static_cast<pid_t>(record.pid);
  event.uid = record.uid;
  event.comm = TextOf(record.comm);
  event.cgroup_id = record.cgroup_id;
  if (event.hit.module.empty()) FindModule(event.pid, record.place.instruction, event.hit);
  return event;
}

}  // namespace

namespace {

// What both forms of the program are asked through.
struct GuardProgram {
  int events = -1;   // ring buffer
  int ledgers = -1;  // pid → address
  const __u64* lost = nullptr;
};

template <typename Skeleton>
GuardProgram ProgramOf(const Skeleton& skeleton) {
  return {bpf_map__fd(skeleton.maps.events), bpf_map__fd(skeleton.maps.ledgers),
          &skeleton.bss->lost};
}

}  // namespace

struct GuardHits::Hook {
  bool Choose(std::optional<CgroupVersion> version, const GuardOptions& options);
  HookReport Report() const;

  HookChoice<guard_hits_bpf> walking;
  HookChoice<guard_hits_known_bpf> known;  // where that cannot be taken, or is not wanted
  GuardProgram program;
  std::optional<EventRing> ring;
  std::optional<ShimFinder> finder;  // where the program knows only what it is told
};

bool GuardHits::Hook::Choose(std::optional<CgroupVersion> version, const GuardOptions& options) {
  const auto configure = [&](auto& skeleton) {
    skeleton.rodata->hierarchy = HierarchyConstant(version);
    skeleton.rodata->agent_pid_ns = OwnPidNamespace();
    bpf_map__set_max_entries(skeleton.maps.events, options.ring_bytes);
  };
  const HookCandidate walk = {"tp_btf/signal_generate",
                              {"on_signal_generate", "on_sched_process_exit"}};
  if (!options.scan) walking = ChooseHook<guard_hits_bpf>(kQuestion, {walk}, configure);
  if (walking.hook) {
    program = ProgramOf(*walking.hook);
    return true;
  }
  const std::string scanning = absl::StrCat(walk.hook, " with ledgers found by scanning");
  known = ChooseHook<guard_hits_known_bpf>(
      kQuestion,
      {{scanning, {"on_signal_generate_known"}},
       {absl::StrCat(scanning, ", no module"), {"on_signal_generate_plain"}}},
      configure);
  if (!known.hook) return false;
  program = ProgramOf(*known.hook);
  finder.emplace(program.ledgers);
  return true;
}

HookReport GuardHits::Hook::Report() const {
  if (walking.hook) return walking.Report();
  HookReport report = known.Report();
  const std::vector<std::string>& before = walking.report.refused;
  report.refused.insert(report.refused.begin(), before.begin(), before.end());
  return report;
}

GuardHits::GuardHits(std::unique_ptr<Hook> hook) : hook_(std::move(hook)) {}
GuardHits::GuardHits(GuardHits&&) noexcept = default;
GuardHits& GuardHits::operator=(GuardHits&&) noexcept = default;
GuardHits::~GuardHits() = default;

absl::StatusOr<GuardHits> GuardHits::Open(std::optional<CgroupVersion> version,
                                          const GuardOptions& options, HookReport* report) {
  auto hook = std::make_unique<Hook>();
  const bool is_taken = hook->Choose(version, options);
  *report = hook->Report();
  if (!is_taken) return hook->known.status;
  auto ring = EventRing::Open(hook->program.events);
  if (!ring.ok()) return ring.status();
  hook->ring = *std::move(ring);
  GuardHits hits(std::move(hook));
  hits.LookForShims();
  return hits;
}

int GuardHits::fd() const { return hook_->ring->fd(); }

std::vector<GuardEvent> GuardHits::Read() {
  std::vector<GuardEvent> events;
  hook_->ring->Drain([&events](absl::string_view bytes) {
    guard_record record;
    if (bytes.size() < sizeof(record)) return;
    memcpy(&record, bytes.data(), sizeof(record));
    if (auto event = EventOf(record)) events.push_back(*std::move(event));
  });
  return events;
}

void GuardHits::LookForShims() {
  if (hook_->finder) hook_->finder->Look();
}

HookReport GuardHits::Report() const {
  HookReport report = hook_->Report();
  report.lost += *hook_->program.lost;
  return report;
}

}  // namespace pagewarden
