// SPDX-License-Identifier: Apache-2.0
#include "preload/site_rules.h"

#include <link.h>

#include "preload/elf_lookup.h"
#include "preload/macros.h"
#include "preload/mem.h"
#include "preload/modules.h"
#include "preload/pattern.h"
#include "preload/router.h"
#include "preload/rules.h"

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

struct Code {
  const Module& module;
  uint64_t pc;
};

bool IsPattern(const char* name, void* pattern) {
  return MatchesPattern(static_cast<const char*>(pattern), name);
}

bool Matches(const abi::CallerEntry& caller, const Code& at) {
  if (!MatchesFile(rules.image.text(caller.module), at.module.path)) return false;
  if (caller.function.bytes == 0) return true;
  return HasFunctionAt(at.module.base, at.module.dynamic, at.pc, IsPattern,
                       const_cast<char*>(rules.image.text(caller.function)));
}

bool MatchesAny(abi::Range callers, const Code& at) {
  for (uint32_t i = 0; i < callers.count; ++i)
    if (Matches(rules.image.caller(callers.first + i), at)) return true;
  return false;
}

bool IsTransparent(const Code& at) {
  return at.module.dynamic == _DYNAMIC || MatchesAny(rules.policy->transparent, at);
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
  const Code at = {known.module, address - 1};
  const bool is_transparent = sizes_of_callers.any() && IsTransparent(at);
  bool starts_signature = false;
  uint32_t tag;
  const bool lasts = TagOfAll(
      [&](const abi::RuleEntry& rule) {
        starts_signature |= StartsSignature(rule, address, known);
        const bool is_caller = rule.form == abi::RuleForm::kCallers && !is_transparent;
        return (is_caller && MatchesAny(rule.operands, at)) ||
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
