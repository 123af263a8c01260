// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/learn.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/audit/text.h"
#include "agent/policy/load.h"
#include "agent/policy/resolve.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

constexpr uint64_t kCapacityUnit = 64 << 10;
constexpr char kRecordingPolicy[] = "learning";
constexpr uint64_t kFirstCapacity = 1 << 20;  // until the peak is known

absl::Status InvalidPolicy(const Diagnostics& diagnostics) {
  return absl::InternalError(
      absl::StrCat("a policy of learn's own is invalid:\n", diagnostics.Render()));
}

absl::StatusOr<std::vector<Preset>> LoadPresets(const Locations& locations) {
  PolicySet set;
  Diagnostics diagnostics;
  LoadPath(absl::StrCat(locations.policies, "/presets"), set, diagnostics);
  if (!diagnostics.empty()) return InvalidPolicy(diagnostics);
  return set.presets;
}

absl::StatusOr<std::vector<AllocationPolicy>> Resolve(PolicySet set, Diagnostics& diagnostics) {
  ResolveReferences(set, diagnostics);
  if (!diagnostics.empty()) return InvalidPolicy(diagnostics);
  return std::move(set.policies);
}

// Each preset has an arena of its own, as far as there are any, which tells what it fenced.
std::string ArenaOf(size_t preset) {
  return absl::StrCat("preset-", std::min<size_t>(preset, abi::kMaxArenasPerPolicy - 1));
}

// Every preset, each a rule of the same name, for every executable.
absl::StatusOr<std::vector<AllocationPolicy>> PresetsOnly(const std::vector<Preset>& presets) {
  PolicySet set;
  set.presets = presets;
  AllocationPolicy& policy = set.policies.emplace_back();
  policy.metadata.name = kRecordingPolicy;
  for (size_t i = 0; i < presets.size(); ++i) {
    Rule& rule = policy.spec.rules.emplace_back();
    rule.name = presets[i].metadata.name;
    rule.match.preset.emplace().name = presets[i].metadata.name;
    rule.place.arena.name = ArenaOf(i);
    if (i >= abi::kMaxArenasPerPolicy) continue;
    Arena& arena = policy.spec.arenas.emplace_back();
    arena.name = ArenaOf(i);
    arena.capacity_bytes = kCapacityUnit;
    arena.on_capacity_exhausted = abi::OnCapacityExhausted::kGrow;
  }
  Diagnostics diagnostics;
  return Resolve(std::move(set), diagnostics);
}

// Those whose arenas hold copies of the secret.
std::vector<Preset> PresetsWithCopies(const std::vector<Preset>& presets,
                                      const VerifyResult& result) {
  std::vector<Preset> found;
  for (size_t i = 0; i < presets.size(); ++i) {
    const std::string tag = absl::StrCat(kRecordingPolicy, "/", ArenaOf(i));
    if (std::any_of(result.copies.begin(), result.copies.end(),
                    [&](const FoundCopy& copy) { return copy.tag == tag; })) {
      found.push_back(presets[i]);
    }
  }
  return found;
}

absl::StatusOr<WatchedRun> Record(const LearnRequest& request, const std::vector<Preset>& presets,
                                  const NeedleSet& needles) {
  const auto policies = PresetsOnly(presets);
  if (!policies.ok()) return policies.status();
  return RunWatched(request.program, *policies, needles, recording::Mode::kRecord);
}

// Under all presets, and again without those that fenced something, but not the
// secret: what they cost would be for nothing, and what they may have hidden for a
// moment must be seen.
absl::StatusOr<WatchedRun> RecordUnderUsefulPresets(const LearnRequest& request,
                                                    std::vector<Preset>& presets,
                                                    const NeedleSet& needles) {
  auto run = Record(request, presets, needles);
  if (!run.ok()) return run;
  const std::vector<Preset> useful = PresetsWithCopies(presets, run->result);
  const AllocationCount& all = run->figures.all;
  const bool is_final = useful.size() == presets.size() || all.moved == 0;
  presets = useful;
  if (is_final) return run;
  return Record(request, presets, needles);
}

absl::StatusOr<std::vector<AllocationPolicy>> Parse(const std::string& yaml,
                                                    const std::vector<Preset>& presets) {
  PolicySet set;
  set.presets = presets;
  Diagnostics diagnostics;
  LoadSource(std::make_shared<Source>("the learned policy", yaml), set, diagnostics);
  return Resolve(std::move(set), diagnostics);
}

// The ledger keeps the first characters of a rule's name.
uint64_t FencedBy(const std::string& preset, const RunFigures& figures) {
  for (const auto& [rule, allocations] : figures.fenced_by_rule) {
    if (!rule.empty() && preset.compare(0, rule.size(), rule) == 0) return allocations;
  }
  return 0;
}

void Leave(uint64_t copies, const std::string& why, std::vector<std::string>& left) {
  left.push_back(absl::StrCat(copies, copies == 1 ? " copy " : " copies ", why));
}

bool HasBuildIds(const LearnedSignature& signature, const std::vector<recording::Module>& modules) {
  return std::all_of(
      signature.frames.begin(), signature.frames.end(),
      [&](const recording::Frame& frame) { return modules[frame.module].build_id_bytes > 0; });
}

void ChooseStacks(const LearnRequest& request, const WatchedRun& run, LearnResult& result) {
  SignatureChoice choice =
      ChooseSignatures(run.evidence.stacks, run.stacks, run.allocations, request.budget);
  for (LearnedSignature& signature : choice.chosen) {
    if (HasBuildIds(signature, run.modules)) {
      result.policy.signatures.push_back(std::move(signature));
    } else {
      Leave(signature.Copies(), "in blocks asked for by a file without a build-id", result.left);
    }
  }
  for (const LearnedSignature& signature : choice.too_common) {
    Leave(signature.Copies(),
          absl::StrFormat("in blocks from a call that makes %.2f %% of all allocations, more than "
                          "is left of --max-moved",
                          100.0 * static_cast<double>(signature.moved) /
                              static_cast<double>(std::max<uint64_t>(run.allocations, 1))),
          result.left);
  }
}

// Programs that the program ran, and that have ended since.
void AddExecutables(LearnedPolicy& policy) {
  for (const LearnedSignature& signature : policy.signatures) {
    for (const recording::Frame& frame : signature.frames) {
      const recording::Module& module = policy.modules[frame.module];
      const std::string path = module.path;
      const bool is_known =
          std::find(policy.binaries.begin(), policy.binaries.end(), path) != policy.binaries.end();
      if (module.is_executable != 0 && absl::StartsWith(path, "/") && !is_known) {
        policy.binaries.push_back(path);
      }
    }
  }
}

// Locking more than the limit allows would lock nothing for sure.
void ChoosePools(const Evidence& evidence, LearnResult& result) {
  const auto limits = ReadMemlockLimits(getpid());
  const uint64_t limit = limits.ok() ? limits->hard.value_or(UINT64_MAX) : UINT64_MAX;
  for (const auto& [module, pool] : evidence.mapping_modules) {
    if (pool.bytes <= limit) {
      result.policy.pinned_mappings[module] = pool.copies;
      continue;
    }
    Leave(pool.copies,
          absl::StrCat("in memory that ", module, " maps: all of that is ", HumanBytes(pool.bytes),
                       ", more than RLIMIT_MEMLOCK lets a process lock"),
          result.left);
  }
}

void Derive(const LearnRequest& request, const std::vector<Preset>& presets, LearnResult& result) {
  const WatchedRun& run = result.recorded;
  LearnedPolicy& policy = result.policy;
  policy.binaries = run.figures.binaries;
  const bool is_launcher = std::find(policy.binaries.begin(), policy.binaries.end(),
                                     request.executable) == policy.binaries.end();
  policy.name =
      PolicyNameFor(is_launcher ? policy.binaries.front() : request.program.command.front());
  policy.command = absl::StrJoin(request.program.command, " ");
  policy.modules = run.modules;
  policy.allocations = run.allocations;
  policy.capacity_bytes = kFirstCapacity;
  for (const Preset& preset : presets) {
    const uint64_t allocations = FencedBy(preset.metadata.name, run.figures);
    if (allocations > 0) policy.presets.push_back({preset.metadata.name, allocations});
  }
  result.left = run.evidence.unexplained;
  ChoosePools(run.evidence, result);
  policy.pinned_data = run.evidence.data_modules;
  policy.on_stacks = run.evidence.on_stacks;
  policy.in_environment = run.evidence.in_environment;
  ChooseStacks(request, run, result);
  AddExecutables(policy);
}

bool IsNothingFound(const WatchedRun& run) {
  return run.result.copies.empty() && run.evidence.stacks.empty();
}

// A quarter more than was needed at most, in units that are easy to read.
uint64_t CapacityFor(uint64_t peak_bytes) {
  const uint64_t wanted = peak_bytes + peak_bytes / 4;
  return std::max((wanted + kCapacityUnit - 1) / kCapacityUnit, uint64_t{1}) * kCapacityUnit;
}

}  // namespace

absl::StatusOr<LearnResult> Learn(const LearnRequest& request, const NeedleSet& needles,
                                  LearnProgress& progress) {
  const auto all_presets = LoadPresets(request.program.locations);
  if (!all_presets.ok()) return all_presets.status();
  std::vector<Preset> presets = *all_presets;
  auto recorded = RecordUnderUsefulPresets(request, presets, needles);
  if (!recorded.ok()) return recorded.status();
  LearnResult result;
  result.recorded = *std::move(recorded);
  progress.Recorded(result.recorded);
  if (IsNothingFound(result.recorded)) return result;
  Derive(request, presets, result);
  if (result.policy.IsEmpty()) return result;

  const auto learned = Parse(ToYaml(result.policy), presets);
  if (!learned.ok()) return learned.status();
  auto proof = RunWatched(request.program, *learned, needles, recording::Mode::kCount);
  if (!proof.ok()) return proof.status();
  result.proof = *std::move(proof);
  result.policy.capacity_bytes = CapacityFor(result.proof.figures.peak_arena_bytes);
  result.yaml = ToYaml(result.policy);
  return result;
}

}  // namespace pagewarden
