// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/site_rules.h"

#include <link.h>

#include "preload/abi/pattern.h"
#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/calls/router.h"
#include "preload/elf/elf_lookup.h"
#include "preload/elf/modules.h"
#include "preload/rules/rules.h"

namespace pagewarden {

PW_SEALED Sizes sizes_of_callers = {};
PW_SEALED Sizes sizes_of_signatures = {};

namespace {

struct SiteRules {
  PolicyImage image;
  const abi::PolicyEntry* policy = nullptr;
  const Rule* table = nullptr;  // by the same index
};

PW_SEALED SiteRules rules = {};
Chains chains;

bool IsOfSites(const abi::RuleEntry& rule) {
  return rule.form == abi::RuleForm::kCallers || rule.form == abi::RuleForm::kStack;
}

const abi::RuleEntry& RuleAt(uint32_t i) { return rules.image.rule(rules.policy->rules.first + i); }

// A place in a module, and what the functions are called that it lies in: names of one
// function, seldom more than two.
class Code {
 public:
  Code(const Module& module, uint64_t pc) : module_(module), pc_(pc) {}

  bool Matches(const abi::CallerEntry& caller) {
    if (!MatchesFile(rules.image.text(caller.module), module_.path)) return false;
    return caller.function.bytes == 0 || IsIn(rules.image.text(caller.function));
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

  const Module& module_;
  uint64_t pc_;
  const char* names_[kMaxNames];
  size_t count_ = 0;
  bool has_names_ = false;
};

bool MatchesAny(abi::Range callers, Code& code) {
  for (uint32_t i = 0; i < callers.count; ++i)
    if (code.Matches(rules.image.caller(callers.first + i))) return true;
  return false;
}

// The shim itself is, for the sake of the functions that it stands in for.
bool IsTransparent(const Module& module, Code& code) {
  return module.dynamic == _DYNAMIC || MatchesAny(rules.policy->transparent, code);
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

bool IsFrame(const abi::Frame& frame, uint64_t address, const Known& in) {
  const abi::BuildId& id = rules.image.build_id(frame.module);
  return address - in.module.base == frame.offset && id.size == in.build_id.size() &&
         EqualBytes(reinterpret_cast<const char*>(id.bytes),
                    reinterpret_cast<const char*>(in.build_id.begin), id.size);
}

// Calls visit(signature) for each of the rule's, until it returns true.
template <typename Visit>
bool AnySignature(const abi::RuleEntry& rule, Visit visit) {
  if (rule.form != abi::RuleForm::kStack) return false;
  for (uint32_t i = 0; i < rule.operands.count; ++i)
    if (visit(rules.image.signature(rule.operands.first + i))) return true;
  return false;
}

bool IsWholeSignature(const abi::RuleEntry& rule, uint64_t address, const Known& in) {
  return AnySignature(rule, [&](const abi::SignatureEntry& signature) {
    return signature.depth == 1 && IsFrame(signature.frames[0], address, in);
  });
}

bool StartsSignature(const abi::RuleEntry& rule, uint64_t address, const Known& in) {
  return AnySignature(rule, [&](const abi::SignatureEntry& signature) {
    return signature.depth > 1 && IsFrame(signature.frames[0], address, in);
  });
}

bool IsStack(const abi::SignatureEntry& signature, const CallStack& stack, const Known* in) {
  if (signature.depth > stack.depth) return false;
  for (uint32_t i = 0; i < signature.depth; ++i)
    if (!IsFrame(signature.frames[i], stack.addresses[i], in[i])) return false;
  return true;
}

// The tag of all rules that matches(rule). False: there is no room for it; `tag` then
// has the rules that come last.
template <typename Matches>
bool TagOfAll(Matches matches, uint32_t* tag) {
  *tag = 0;
  for (uint32_t i = rules.policy->rules.count; i-- > 0;) {
    if (!matches(RuleAt(i))) continue;
    const uint32_t longer = chains.Prepend(i, *tag);
    if (longer == 0) return false;
    *tag = longer;
  }
  return true;
}

}  // namespace

uint32_t FirstRuleOfSites(const PolicyImage& image, const abi::PolicyEntry& policy) {
  for (uint32_t i = 0; i < policy.rules.count; ++i)
    if (IsOfSites(image.rule(policy.rules.first + i))) return i;
  return UINT32_MAX;
}

void SetSiteRules(const PolicyImage& image, const abi::PolicyEntry& policy, const Rule* table,
                  Link* links) {
  rules.image = image;
  rules.policy = &policy;
  rules.table = table;
  for (uint32_t i = 0; i < policy.rules.count; ++i) {
    const abi::RuleEntry& rule = RuleAt(i);
    if (rule.form == abi::RuleForm::kCallers) sizes_of_callers.Include(rule);
    if (rule.form == abi::RuleForm::kStack) sizes_of_signatures.Include(rule);
  }
  chains = Chains(links, kMaxSiteLinks, TagsOf(policy));
}

bool JudgeSite(uint64_t address, SiteVerdict* out) {
  Known known;
  *out = {};
  if (!Find(address, &known)) return false;
  Code code(known.module, address - 1);
  const bool is_transparent = sizes_of_callers.any() && IsTransparent(known.module, code);
  bool starts_signature = false;
  uint32_t tag;
  const bool lasts = TagOfAll(
      [&](const abi::RuleEntry& rule) {
        starts_signature |= StartsSignature(rule, address, known);
        const bool is_caller = rule.form == abi::RuleForm::kCallers && !is_transparent;
        return (is_caller && MatchesAny(rule.operands, code)) ||
               IsWholeSignature(rule, address, known);
      },
      &tag);
  *out = SiteVerdict(tag, is_transparent, starts_signature);
  return lasts;
}

bool JudgeStack(const CallStack& stack, uint32_t* tag) {
  Known known[abi::kMaxSignatureDepth] = {};
  for (uint32_t i = 0; i < stack.depth; ++i) Find(stack.addresses[i], &known[i]);
  return TagOfAll(
      [&](const abi::RuleEntry& rule) {
        return AnySignature(rule, [&](const abi::SignatureEntry& signature) {
          return signature.depth > 1 && IsStack(signature, stack, known);
        });
      },
      tag);
}

uint32_t FirstRuleThatTakes(uint32_t tag, size_t bytes, uint32_t below) {
  return chains.First(tag, below,
                      [bytes](uint32_t rule) { return Takes(rules.table[rule], bytes); });
}

}  // namespace pagewarden
