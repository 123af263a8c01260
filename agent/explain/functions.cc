// SPDX-License-Identifier: Apache-2.0
#include "agent/explain/functions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pagewarden {
namespace {

std::vector<std::string> NamesOf(const std::vector<const LoadedModule*>& modules) {
  std::vector<std::string> names;
  for (const LoadedModule* module : modules) names.emplace_back(module->Name());
  return names;
}

std::vector<const LoadedModule*> Matching(const std::vector<std::string>& patterns,
                                          const Closure& closure) {
  std::vector<const LoadedModule*> found;
  for (const LoadedModule& module : closure.modules) {
    const auto matches = [&](const std::string& pattern) { return module.Matches(pattern); };
    if (std::any_of(patterns.begin(), patterns.end(), matches)) found.push_back(&module);
  }
  return found;
}

// None: nobody says where to look.
bool AreAllLoaded(const std::vector<std::string>& libraries, const Closure& closure) {
  const auto is_loaded = [&](const std::string& library) {
    return !Matching({library}, closure).empty();
  };
  return !libraries.empty() && std::all_of(libraries.begin(), libraries.end(), is_loaded);
}

std::string WhyNotExported(const std::vector<std::string>& libraries, const Closure& closure) {
  if (libraries.empty()) return "no loaded module exports it";
  const std::vector<std::string> loaded = NamesOf(Matching(libraries, closure));
  if (loaded.empty()) {
    return absl::StrCat(absl::StrJoin(libraries, ", "), " is not loaded at start");
  }
  return absl::StrCat(absl::StrJoin(loaded, ", "),
                      loaded.size() == 1 ? " does not export it" : " do not export it");
}

// A library linked with -Bsymbolic, or with hidden aliases, does not.
bool CallsItselfThroughSlots(const LoadedModule& module) {
  return std::any_of(module.elf.slots.begin(), module.elf.slots.end(),
                     [&](const auto& slot) { return module.elf.functions.contains(slot); });
}

}  // namespace

PartExplanation ExplainFunction(const std::string& function,
                                const std::vector<std::string>& libraries, const Closure& closure) {
  std::vector<const LoadedModule*> exporters;
  std::vector<const LoadedModule*> callers;
  for (const LoadedModule& module : closure.modules) {
    if (module.elf.functions.contains(function)) exporters.push_back(&module);
    if (module.elf.slots.contains(function)) callers.push_back(&module);
  }
  PartExplanation part{function, Effect::kCannotBind, NamesOf(callers), "", false};
  if (exporters.empty()) {
    part.modules.clear();
    part.why = WhyNotExported(libraries, closure);
    part.is_missing = AreAllLoaded(libraries, closure);
    return part;
  }
  const bool in_executable = exporters.front() == &closure.modules.front();
  if (!callers.empty()) part.effect = in_executable ? Effect::kPartly : Effect::kBinds;
  if (in_executable) {
    part.why = kInExecutable;
  } else if (callers.empty() && CallsItselfThroughSlots(*exporters.front())) {
    part.effect = Effect::kUnused;
    part.why = "no module calls it";
  } else if (callers.empty()) {
    part.why = absl::StrCat(exporters.front()->Name(),
                            " exports it, and calls its own functions directly");
  }
  return part;
}

}  // namespace pagewarden
