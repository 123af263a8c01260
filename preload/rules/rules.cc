// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/rules.h"

#include "preload/base/ledger.h"
#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/base/sys.h"
#include "preload/fence/fence.h"
#include "preload/rules/thread_names.h"

namespace pagewarden {
namespace {

PW_SEALED Rule rule_of_one_arena = {};
Chains extents;  // that of readFrom grow as files are opened

// For lists of several rules that are for one file.
constexpr uint32_t kFileLinks = 256;

// Most policies have few rules: theirs fit a page that is sealed anyway.
PW_SEALED alignas(8) unsigned char small_table[1536] = {};

// Else address space from the kernel, since the shim has no heap of its own.
void* MapTable(size_t bytes, bool is_sealed) {
  if (is_sealed && bytes <= sizeof(small_table)) return small_table;
  const long at = sys::Reserve(bytes);
  if (sys::Failed(at)) return nullptr;
  void* table = reinterpret_cast<void*>(at);
  return sys::Failed(sys::Protect(table, bytes, kProtRead | kProtWrite)) ? nullptr : table;
}

bool HasForm(const PolicyImage& image, const abi::PolicyEntry& policy, abi::RuleForm form) {
  for (uint32_t i = 0; i < policy.rules.count; ++i)
    if (image.rule(policy.rules.first + i).form == form) return true;
  return false;
}

// As many as there can be: each time that a rule is named may take one. With one rule
// there is nothing to link.
uint32_t CountLinks(const PolicyImage& image, const abi::PolicyEntry& policy) {
  if (policy.rules.count < 2) return 0;
  uint32_t count = HasForm(image, policy, abi::RuleForm::kReadFrom) ? kFileLinks : 0;
  for (uint32_t i = 0; i < policy.rules.count; ++i) {
    const abi::RuleEntry& rule = image.rule(policy.rules.first + i);
    if (rule.form == abi::RuleForm::kDuring) count += rule.operands.count;
    if (rule.form == abi::RuleForm::kAll) ++count;
  }
  return count;
}

bool MapTables(const PolicyImage& image, const abi::PolicyEntry& policy, RuleTables* out) {
  const uint32_t count = TagsOf(policy);
  const uint32_t links = CountLinks(image, policy);
  const size_t slot_bytes = image.function_count() * sizeof(uint32_t);
  const bool is_sealed = !HasForm(image, policy, abi::RuleForm::kReadFrom);
  void* memory = MapTable(count * sizeof(Rule) + links * sizeof(Link) + slot_bytes + 1, is_sealed);
  if (memory == nullptr) return false;
  auto* rules = static_cast<Rule*>(memory);
  auto* first_link = reinterpret_cast<Link*>(rules + count);
  extents = Chains(first_link, links, count);
  out->set = {rules, count, &extents, 0, 0, policy.mode == abi::Mode::kAudit};
  out->slot_tags = reinterpret_cast<uint32_t*>(first_link + links);
  return true;
}

void NameTag(uint32_t tag, const char* name, size_t bytes, uint32_t arena) {
  abi::LedgerTag& of = fence.books.tag(tag);
  CopyText(of.name, sizeof(of.name), name, bytes);
  of.arena = arena;
}

Rule AddArena(uint32_t arena, uint32_t tag) {
  const char* name = ledger.arenas[arena].name;
  NameTag(tag, name, Length(name), arena);
  return {0, UINT64_MAX, &fence.arenas[arena], tag, 0};
}

Rule AddRule(const PolicyImage& image, const abi::RuleEntry& rule, uint32_t arena, uint32_t tag) {
  NameTag(tag, image.text(rule.name), rule.name.bytes, arena);
  return {rule.min_bytes, rule.max_bytes, &fence.arenas[arena], tag, FilterOf(rule)};
}

// Precondition: the rules behind this one are listed already.
void List(const PolicyImage& image, const abi::RuleEntry& rule, uint32_t index, RuleTables* out) {
  if (rule.form == abi::RuleForm::kAll)
    out->set.everywhere = PrependRule(index, out->set.everywhere);
  const uint32_t functions = rule.form == abi::RuleForm::kDuring ? rule.operands.count : 0;
  for (uint32_t i = 0; i < functions; ++i) {
    uint32_t& of_slot = out->slot_tags[image.rule_slot(rule.operands.first + i)];
    of_slot = PrependRule(index, of_slot);
  }
}

// Before it, no rule is of a form that has to be asked for in every extent.
uint32_t EndOfShortWay(const PolicyImage& image, const abi::PolicyEntry& policy) {
  uint32_t end = 0;
  while (end < policy.rules.count &&
         image.rule(policy.rules.first + end).form == abi::RuleForm::kDuring)
    ++end;
  return end;
}

}  // namespace

bool BuildRules(const PolicyImage& image, const abi::PolicyEntry& policy, RuleTables* out) {
  SetFilters(image, policy);
  if (!MapTables(image, policy, out)) return false;
  auto* rules = const_cast<Rule*>(out->set.rules);
  for (uint32_t i = policy.rules.count; i-- > 0;) {
    const abi::RuleEntry& rule = image.rule(policy.rules.first + i);
    rules[i] = AddRule(image, rule, rule.arena - policy.arenas.first, i);
    List(image, rule, i, out);
  }
  out->set.short_way = EndOfShortWay(image, policy);
  for (uint32_t arena = 0; arena < policy.arenas.count; ++arena)
    rules[policy.rules.count + arena] = AddArena(arena, policy.rules.count + arena);
  ledger.rule_count = policy.rules.count;
  return true;
}

uint32_t PrependRule(uint32_t rule, uint32_t tag) {
  const uint32_t longer = extents.Prepend(rule, tag);
  return longer != 0 ? longer : tag;
}

RuleSet NoRules() {
  extents = Chains(nullptr, 0, 1);
  return {nullptr, 0, &extents, 0, 0, false};
}

RuleSet RulesOfOneArena() {
  rule_of_one_arena = AddArena(0, 0);
  extents = Chains(nullptr, 0, 1);
  return {&rule_of_one_arena, 1, &extents, 0, 0, false};
}

}  // namespace pagewarden
