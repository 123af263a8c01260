// SPDX-License-Identifier: Apache-2.0
#include "agent/explain/explanation.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/explain/functions.h"
#include "preload/abi/pattern.h"

namespace pagewarden {
namespace {

constexpr size_t kShownBuildIdBytes = 4;

const Preset* FindPreset(const std::string& name, const std::vector<Preset>& presets) {
  const auto found = std::find_if(presets.begin(), presets.end(), [&](const Preset& preset) {
    return preset.metadata.name == name;
  });
  return found == presets.end() ? nullptr : &*found;
}

bool ExportsMatch(const LoadedModule& module, const std::vector<std::string>& functions) {
  if (functions.empty()) return true;
  return std::any_of(functions.begin(), functions.end(), [&](const std::string& pattern) {
    return std::any_of(
        module.elf.functions.begin(), module.elf.functions.end(),
        [&](const auto& entry) { return MatchesPattern(pattern.c_str(), entry.first.c_str()); });
  });
}

PartExplanation ExplainModules(const std::string& pattern,
                               const std::vector<std::string>& functions, const Closure& closure) {
  PartExplanation part{pattern, Effect::kCannotBind, {}, ""};
  if (!functions.empty()) absl::StrAppend(&part.part, " (", absl::StrJoin(functions, ", "), ")");
  bool is_loaded = false;
  for (const LoadedModule& module : closure.modules) {
    if (!module.Matches(pattern)) continue;
    is_loaded = true;
    if (ExportsMatch(module, functions)) part.modules.emplace_back(module.Name());
  }
  if (!part.modules.empty()) part.effect = Effect::kBinds;
  if (!is_loaded) part.why = "no loaded module has such a name";
  if (is_loaded && part.modules.empty()) part.why = "the module exports no such function";
  return part;
}

std::string FrameText(const CodeAddress& frame) {
  return absl::StrFormat("%s...+0x%x",
                         absl::BytesToHexString(frame.build_id.substr(0, kShownBuildIdBytes)),
                         frame.offset);
}

PartExplanation ExplainSignature(const Signature& signature, const Closure& closure) {
  PartExplanation part{"", Effect::kBinds, {}, ""};
  std::vector<std::string> frames;
  for (const CodeAddress& frame : signature) {
    frames.push_back(FrameText(frame));
    const auto module =
        std::find_if(closure.modules.begin(), closure.modules.end(),
                     [&](const LoadedModule& m) { return m.elf.build_id == frame.build_id; });
    if (module != closure.modules.end()) {
      const std::string name(module->Name());
      if (std::find(part.modules.begin(), part.modules.end(), name) == part.modules.end()) {
        part.modules.push_back(name);
      }
      continue;
    }
    part.effect = Effect::kCannotBind;
    part.why = absl::StrCat("no loaded module has the build-id of ", FrameText(frame),
                            ": updated since it was learned?");
  }
  part.part = absl::StrJoin(frames, " < ");
  if (part.effect == Effect::kCannotBind) part.modules.clear();
  return part;
}

RuleExplanation ExplainFunctions(const Rule& rule, const std::vector<Preset>& presets,
                                 const Closure& closure) {
  RuleExplanation explanation{rule.name, "during", {}, ""};
  std::vector<std::string> libraries;
  if (rule.match.preset.has_value()) {
    explanation.form = absl::StrCat("preset ", rule.match.preset->name);
    const Preset* preset = FindPreset(rule.match.preset->name, presets);
    if (preset != nullptr) libraries = preset->spec.libraries;
  }
  for (const std::string& function : rule.functions) {
    explanation.parts.push_back(ExplainFunction(function, libraries, closure));
  }
  const bool is_static =
      std::any_of(explanation.parts.begin(), explanation.parts.end(),
                  [](const PartExplanation& part) { return part.why == kInExecutable; });
  if (is_static) {
    explanation.note =
        "the library is linked into the executable; calls inside it need stack rules, "
        "which `pagewarden learn` finds";
  }
  return explanation;
}

RuleExplanation ExplainRule(const Rule& rule, const std::vector<Preset>& presets,
                            const Closure& closure) {
  const Match& match = rule.match;
  if (!rule.functions.empty()) return ExplainFunctions(rule, presets, closure);
  RuleExplanation explanation{rule.name, "", {}, ""};
  if (!match.callers.empty()) explanation.form = "callers";
  for (const Caller& caller : match.callers) {
    explanation.parts.push_back(ExplainModules(caller.module, caller.functions, closure));
  }
  if (!match.stack.empty()) explanation.form = "stack";
  for (const Signature& signature : match.stack) {
    explanation.parts.push_back(ExplainSignature(signature, closure));
  }
  if (!match.read_from.empty()) explanation.form = "readFrom";
  for (const std::string& pattern : match.read_from) {
    explanation.parts.push_back({pattern, Effect::kAtRunTime, {}, "when the file is opened"});
  }
  if (match.IsAll()) {
    explanation.form = "all";
    explanation.parts.push_back({"every allocation", Effect::kBinds, {}, ""});
  }
  return explanation;
}

void ExplainPins(const char* form, const std::vector<std::string>& patterns, const Closure& closure,
                 std::vector<RuleExplanation>& explanations) {
  if (patterns.empty()) return;
  RuleExplanation& pins = explanations.emplace_back(RuleExplanation{"pin", form, {}, ""});
  for (const std::string& pattern : patterns) {
    pins.parts.push_back(ExplainModules(pattern, {}, closure));
  }
}

}  // namespace

const char* EffectWord(Effect effect) {
  switch (effect) {
    case Effect::kBinds:
      return "binds";
    case Effect::kPartly:
      return "partly";
    case Effect::kCannotBind:
      return "cannot bind";
    case Effect::kAtRunTime:
      return "at run time";
    case Effect::kUnused:
      return "unused";
  }
  return "";
}

size_t RuleExplanation::Count(Effect effect) const {
  return static_cast<size_t>(
      std::count_if(parts.begin(), parts.end(),
                    [&](const PartExplanation& part) { return part.effect == effect; }));
}

bool RuleExplanation::IsMistaken() const {
  return std::any_of(parts.begin(), parts.end(),
                     [](const PartExplanation& part) { return part.is_missing; });
}

bool RuleExplanation::CannotBind() const {
  return Count(Effect::kCannotBind) + Count(Effect::kUnused) == parts.size();
}

std::vector<RuleExplanation> ExplainRules(const AllocationPolicy& policy,
                                          const std::vector<Preset>& presets,
                                          const Closure& closure) {
  std::vector<RuleExplanation> explanations;
  for (const Rule& rule : policy.spec.rules) {
    explanations.push_back(ExplainRule(rule, presets, closure));
    std::string& name = explanations.back().name;
    if (!name.empty()) continue;
    const bool is_preset = rule.match.preset.has_value();
    name = is_preset ? rule.match.preset->name : absl::StrCat("rule-", explanations.size());
  }
  ExplainPins("pin.mappings", policy.spec.pin.mappings, closure, explanations);
  ExplainPins("pin.data", policy.spec.pin.data, closure, explanations);
  return explanations;
}

}  // namespace pagewarden
