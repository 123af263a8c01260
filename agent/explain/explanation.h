// SPDX-License-Identifier: Apache-2.0
// What a policy comes to in a program: for each rule, which parts of it take
// effect, in which modules, and why the others cannot.
//
//   auto closure = ReadClosure("/usr/sbin/nginx", ReadLoaderCache());
//   auto rules = ExplainRules(policy, presets, *closure);
#pragma once

#include <string>
#include <vector>

#include "agent/elf/closure.h"
#include "agent/policy/model.h"

namespace pagewarden {

enum class Effect {
  kBinds,       // takes effect
  kPartly,      // in the calls from some modules only
  kCannotBind,  // not in these modules
  kAtRunTime,   // only the running program can tell
  kUnused,      // would, if a module called it
};

// "binds", "partly", "cannot bind", "at run time", "unused".
const char* EffectWord(Effect effect);

// One function, pattern or signature of a rule.
struct PartExplanation {
  std::string part;  // as the policy has it
  Effect effect = Effect::kCannotBind;
  std::vector<std::string> modules;  // file names, where it takes effect
  std::string why;                   // where it does not; may be empty
  bool is_missing = false;           // no library has it, though all of the preset's are here
};

struct RuleExplanation {
  std::string name;
  std::string form;  // "during", "preset NAME", "callers", …, "pin.data"
  std::vector<PartExplanation> parts;
  std::string note;  // what to do about it; may be empty

  size_t Count(Effect effect) const;
  // Not one part of it takes effect, or may come to.
  bool CannotBind() const;
  // Names what its libraries lack: a mistake, or they were updated.
  bool IsMistaken() const;
};

// The rules of a resolved policy in their order, then its pins.
std::vector<RuleExplanation> ExplainRules(const AllocationPolicy& policy,
                                          const std::vector<Preset>& presets,
                                          const Closure& closure);

}  // namespace pagewarden
