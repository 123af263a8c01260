// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/site_rules.h"

#include <link.h>

#include "preload/abi/pattern.h"
#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/elf/elf_lookup.h"
#include "preload/elf/modules.h"

namespace pagewarden {

namespace {

bool IsOfSites(const abi::RuleEntry& rule) {
  return rule.form == abi::RuleForm::kCallers || rule.form == abi::RuleForm::kStack;
}

const abi::RuleEntry& RuleAt(const RuleSet& set, uint32_t i) {
  return set.image.rule(set.policy->rules.first + i);
}

uint32_t CountRules(const RuleSet& set) {
  return set.policy != nullptr && set.count != 0 ? set.policy->rules.count : 0;
}

// A place in a module, and what the functions are called that it lies in: names of one
// function, seldom more than two.
class Code {
 public:
  Code(const RuleSet& set, const Module& module, uint64_t pc)
      : image_(set.image), module_(module), pc_(pc) {}

  bool Matches(const abi::CallerEntry& caller) {
    if (!MatchesFile(image_.text(caller.module), module_.path)) return false;
    return caller.function.bytes == 0 || IsIn(image_.text(caller.function));
  }

 private:
  static constexpr size_t kMaxNames = 8;

  bool IsIn(const char* pattern) {
    if (!has_names_) count_ = FunctionsAt(module_.base, module_.dynamic, pc_, names_, kMaxNames);
    has_names_ = true;
    for (size_t i = 0; i < count_; ++i)
      if (MatchesPattern(pattern, names_[i])) return true;
    return false;
  }

  const PolicyImage& image_;
  const Module& module_;
  uint64_t pc_;
  const char* names_[kMaxNames];
  size_t count_ = 0;
  bool has_names_ = false;
};

bool MatchesAny(const RuleSet& set, abi::Range callers, Code& code) {
  for (uint32_t i = 0; i < callers.count; ++i)
    if (code.Matches(set.image.caller(callers.first + i))) return true;
  return false;
}

// The shim itself is, for the sake of the functions that it stands in for.
bool IsTransparent(const RuleSet& set, const Module& module, Code& code) {
  return module.dynamic == _DYNAMIC || MatchesAny(set, set.policy->transparent, code);
}

struct Known {
  Module module;
  Bytes build_id;
};

bool Find(uint64_t address, Known* out) {
  if (!FindModule(address - 1, &out->module)) return false;
  out->build_id = BuildIdOf(out->module);
  return true;
}

bool IsFrame(const RuleSet& set, const abi::Frame& frame, uint64_t address, const Known& in) {
  const abi::BuildId& id = set.image.build_id(frame.module);
  return address - in.module.base == frame.offset && id.size == in.build_id.size() &&
         EqualBytes(reinterpret_cast<const char*>(id.bytes),
                    reinterpret_cast<const char*>(in.build_id.begin), id.size);
}

// Calls visit(signature) for each of the rule's, until it returns true.
template <typename Visit>
bool AnySignature(const RuleSet& set, const abi::RuleEntry& rule, Visit visit) {
  if (rule.form != abi::RuleForm::kStack) return false;
  for (uint32_t i = 0; i < rule.operands.count; ++i)
    if (visit(set.image.signature(rule.operands.first + i))) return true;
  return false;
}

bool IsWholeSignature(const RuleSet& set, const abi::RuleEntry& rule, uint64_t address,
                      const Known& in) {
  return AnySignature(set, rule, [&](const abi::SignatureEntry& signature) {
    return signature.depth == 1 && IsFrame(set, signature.frames[0], address, in);
  });
}

bool StartsSignature(const RuleSet& set, const abi::RuleEntry& rule, uint64_t address,
                     const Known& in) {
  return AnySignature(set, rule, [&](const abi::SignatureEntry& signature) {
    return signature.depth > 1 && IsFrame(set, signature.frames[0], address, in);
  });
}

bool IsStack(const RuleSet& set, const abi::SignatureEntry& signature, const CallStack& stack,
             const Known* in) {
  if (signature.depth > stack.depth) return false;
  for (uint32_t i = 0; i < signature.depth; ++i)
    if (!IsFrame(set, signature.frames[i], stack.addresses[i], in[i])) return false;
  return true;
}

// The tag of the books of all rules that matches(rule). False: there is no room for it; `tag` then
// has the rules that come last.
template <typename Matches>
bool TagOfAll(const RuleSet& set, Matches matches, uint32_t* tag) {
  *tag = 0;
  for (uint32_t i = CountRules(set); i-- > 0;) {
    if (!IsInForce(set.rules[i]) || !matches(RuleAt(set, i))) continue;
    const uint32_t longer = PrependBook(set.rules[i].tag, *tag);
    if (longer == 0) return false;
    *tag = longer;
  }
  return true;
}

}  // namespace

bool HasSiteRules(const PolicyImage& image, const abi::PolicyEntry& policy) {
  for (uint32_t i = 0; i < policy.rules.count; ++i)
    if (IsOfSites(image.rule(policy.rules.first + i))) return true;
  return false;
}

uint32_t FirstRuleOfSites(const RuleSet& set) {
  for (uint32_t i = 0; i < CountRules(set); ++i)
    if (IsInForce(set.rules[i]) && IsOfSites(RuleAt(set, i))) return i;
  return UINT32_MAX;
}

void SetSizesOfSites(RuleSet* set) {
  for (uint32_t i = 0; i < CountRules(*set); ++i) {
    const abi::RuleForm form = RuleAt(*set, i).form;
    if (!IsInForce(set->rules[i])) continue;
    if (form == abi::RuleForm::kCallers) set->callers.Include(set->rules[i]);
    if (form == abi::RuleForm::kStack) set->signatures.Include(set->rules[i]);
  }
}

bool JudgeSite(const RuleSet& set, uint64_t address, SiteVerdict* out) {
  Known known;
  *out = {};
  if (!Find(address, &known)) return false;
  Code code(set, known.module, address - 1);
  const bool is_transparent = set.callers.any() && IsTransparent(set, known.module, code);
  bool starts_signature = false;
  uint32_t tag;
  const bool lasts = TagOfAll(
      set,
      [&](const abi::RuleEntry& rule) {
        starts_signature |= StartsSignature(set, rule, address, known);
        const bool is_caller = rule.form == abi::RuleForm::kCallers && !is_transparent;
        return (is_caller && MatchesAny(set, rule.operands, code)) ||
               IsWholeSignature(set, rule, address, known);
      },
      &tag);
  *out = SiteVerdict(tag, is_transparent, starts_signature);
  return lasts;
}

bool JudgeStack(const RuleSet& set, const CallStack& stack, uint32_t* tag) {
  Known known[abi::kMaxSignatureDepth] = {};
  for (uint32_t i = 0; i < stack.depth; ++i) Find(stack.addresses[i], &known[i]);
  return TagOfAll(
      set,
      [&](const abi::RuleEntry& rule) {
        return AnySignature(set, rule, [&](const abi::SignatureEntry& signature) {
          return signature.depth > 1 && IsStack(set, signature, stack, known);
        });
      },
      tag);
}

}  // namespace pagewarden
