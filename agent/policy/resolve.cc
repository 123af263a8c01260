// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/resolve.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/base/closest_word.h"

namespace pagewarden {
namespace {

using PresetMap = absl::flat_hash_map<std::string, const Preset*>;

// Reports every name but the first of its kind. Unnamed things are left alone.
class UniqueNames {
 public:
  UniqueNames(const char* what, Diagnostics& diagnostics)
      : what_(what), diagnostics_(diagnostics) {}

  void Add(const std::string& name, const Position& at) {
    if (name.empty()) return;
    const auto [first, inserted] = first_.try_emplace(name, at);
    if (inserted) return;
    diagnostics_.Add(at, PolicyError::kDuplicateName,
                     absl::StrCat("there is already ", what_, " ", Quoted(name), ", at ",
                                  first->second.ToString()));
  }

 private:
  const char* what_;
  Diagnostics& diagnostics_;
  absl::flat_hash_map<std::string, Position> first_;
};

std::string Known(absl::string_view name, std::vector<std::string> known) {
  std::sort(known.begin(), known.end());
  const std::string closest = ClosestWord(name, known);
  if (!closest.empty()) return absl::StrCat("did you mean ", Quoted(closest), "?");
  if (known.empty()) return "there are none";
  return absl::StrCat("there are: ", absl::StrJoin(known, ", "));
}

std::vector<std::string> WithoutRepeats(const std::vector<std::string>& names) {
  absl::flat_hash_set<absl::string_view> seen;
  std::vector<std::string> unique;
  for (const std::string& name : names) {
    if (seen.insert(name).second) unique.push_back(name);
  }
  return unique;
}

void CheckMatch(const Match& match, Diagnostics& diagnostics) {
  if (match.at.source == nullptr) return;  // missing, and reported as that
  const std::vector<std::string> forms = FormsOf(match);
  if (forms.size() > 1) {
    diagnostics.Add(match.at, PolicyError::kConflict,
                    absl::StrCat(absl::StrJoin(forms, " and "), " exclude each other"),
                    "write a rule for each");
  }
  if (forms.empty() && !match.all.has_value()) {
    diagnostics.Add(match.at, PolicyError::kMissing, "the rule matches nothing",
                    "add preset, during, callers, stack, readFrom or all");
  }
  if (match.size.min > match.size.max) {
    diagnostics.Add(match.size.at, PolicyError::kOutOfRange, "size.min is larger than size.max");
  }
}

void ResolveFunctions(Rule& rule, const PresetMap& presets, Diagnostics& diagnostics) {
  if (!rule.match.preset.has_value()) {
    rule.functions = WithoutRepeats(rule.match.during);
    return;
  }
  const Reference& reference = *rule.match.preset;
  if (reference.name.empty()) return;
  const auto preset = presets.find(reference.name);
  if (preset != presets.end()) {
    rule.functions = WithoutRepeats(preset->second->spec.during);
    return;
  }
  std::vector<std::string> known;
  for (const auto& [name, unused] : presets) known.push_back(name);
  diagnostics.Add(reference.at, PolicyError::kUnknownPreset,
                  absl::StrCat("unknown preset ", Quoted(reference.name)),
                  Known(reference.name, std::move(known)));
}

void ResolveArena(Rule& rule, const std::vector<Arena>& arenas, Diagnostics& diagnostics) {
  const Reference& reference = rule.place.arena;
  if (reference.name.empty()) return;
  const auto arena = std::find_if(arenas.begin(), arenas.end(),
                                  [&](const Arena& a) { return a.name == reference.name; });
  if (arena != arenas.end()) {
    rule.arena = static_cast<uint32_t>(arena - arenas.begin());
    return;
  }
  std::vector<std::string> known;
  for (const Arena& a : arenas) known.push_back(a.name);
  diagnostics.Add(reference.at, PolicyError::kUnknownArena,
                  absl::StrCat("unknown arena ", Quoted(reference.name)),
                  Known(reference.name, std::move(known)));
}

void ResolveSpec(AllocationSpec& spec, const PresetMap& presets, Diagnostics& diagnostics) {
  if (spec.arenas.empty()) spec.arenas.emplace_back();
  UniqueNames arena_names("an arena", diagnostics);
  for (const Arena& arena : spec.arenas) arena_names.Add(arena.name, arena.at);
  UniqueNames rule_names("a rule", diagnostics);
  for (Rule& rule : spec.rules) {
    rule_names.Add(rule.name, rule.at);
    CheckMatch(rule.match, diagnostics);
    ResolveFunctions(rule, presets, diagnostics);
    ResolveArena(rule, spec.arenas, diagnostics);
  }
}

}  // namespace

std::vector<std::string> FormsOf(const Match& match) {
  std::vector<std::string> forms;
  if (match.preset.has_value()) forms.push_back("preset");
  if (!match.during.empty()) forms.push_back("during");
  if (!match.callers.empty()) forms.push_back("callers");
  if (!match.stack.empty()) forms.push_back("stack");
  if (!match.read_from.empty()) forms.push_back("readFrom");
  if (match.IsAll()) forms.push_back("all");
  return forms;
}

void ResolveReferences(PolicySet& set, Diagnostics& diagnostics) {
  PresetMap presets;
  UniqueNames preset_names("a preset", diagnostics);
  for (const Preset& preset : set.presets) {
    preset_names.Add(preset.metadata.name, preset.metadata.at);
    if (!preset.metadata.name.empty()) presets.try_emplace(preset.metadata.name, &preset);
  }
  UniqueNames policy_names("a policy", diagnostics);
  for (AllocationPolicy& policy : set.policies) {
    policy_names.Add(policy.metadata.name, policy.metadata.at);
    ResolveSpec(policy.spec, presets, diagnostics);
  }
  UniqueNames budget_names("a MemlockBudget", diagnostics);
  for (const MemlockBudget& document : set.budgets) {
    budget_names.Add(document.metadata.name, document.metadata.at);
    UniqueNames names("a budget", diagnostics);
    for (const Budget& budget : document.spec.budgets) names.Add(budget.name, budget.at);
  }
}

}  // namespace pagewarden
