// SPDX-License-Identifier: Apache-2.0
#include "preload/rules.h"

#include "preload/fence.h"
#include "preload/ledger.h"
#include "preload/macros.h"
#include "preload/mem.h"
#include "preload/sys.h"

namespace pagewarden {
namespace {

PW_SEALED Rule rule_of_one_arena = {};

// Most policies have few rules: theirs fit a page that is sealed anyway.
PW_SEALED alignas(8) unsigned char small_table[1536] = {};

// Else address space from the kernel, since the shim has no heap of its own.
void* MapTable(size_t bytes) {
  if (bytes <= sizeof(small_table)) return small_table;
  const long at = sys::Reserve(bytes);
  if (sys::Failed(at)) return nullptr;
  void* table = reinterpret_cast<void*>(at);
  return sys::Failed(sys::Protect(table, bytes, kProtRead | kProtWrite)) ? nullptr : table;
}

// How often a rule names a function, at most: each time may take a link.
uint32_t CountNamed(const PolicyImage& image, const abi::PolicyEntry& policy) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < policy.rules.count; ++i) {
    const abi::RuleEntry& rule = image.rule(policy.rules.first + i);
    const bool is_listed = rule.form == abi::RuleForm::kAll;
    count += rule.form == abi::RuleForm::kDuring ? rule.operands.count : is_listed;
  }
  return count;
}

// With one rule there is nothing to link.
bool MapTables(const PolicyImage& image, const abi::PolicyEntry& policy, RuleTables* out) {
  const uint32_t count = TagsOf(policy);
  const uint32_t links = policy.rules.count > 1 ? CountNamed(image, policy) : 0;
  const size_t rule_bytes = count * sizeof(Rule);
  const size_t link_bytes = links * sizeof(Link);
  void* memory = MapTable(rule_bytes + link_bytes + image.function_count() * sizeof(uint32_t) + 1);
  if (memory == nullptr) return false;
  auto* rules = static_cast<Rule*>(memory);
  auto* first_link = reinterpret_cast<Link*>(rules + count);
  out->set = {rules, count, Chains(first_link, links, count), 0, 0,
              policy.mode == abi::Mode::kAudit};
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
  return {0, UINT64_MAX, &fence.arenas[arena], tag};
}

Rule AddRule(const PolicyImage& image, const abi::RuleEntry& rule, uint32_t arena, uint32_t tag) {
  NameTag(tag, image.text(rule.name), rule.name.bytes, arena);
  return {rule.min_bytes, rule.max_bytes, &fence.arenas[arena], tag};
}

// Precondition: the rules behind this one are listed already.
void List(const PolicyImage& image, const abi::RuleEntry& rule, uint32_t index, RuleTables* out) {
  Chains& chains = out->set.extents;
  if (rule.form == abi::RuleForm::kAll)
    out->set.everywhere = chains.Prepend(index, out->set.everywhere);
  const uint32_t functions = rule.form == abi::RuleForm::kDuring ? rule.operands.count : 0;
  for (uint32_t i = 0; i < functions; ++i) {
    uint32_t& of_slot = out->slot_tags[image.rule_slot(rule.operands.first + i)];
    of_slot = chains.Prepend(index, of_slot);
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

RuleSet RulesOfOneArena() {
  rule_of_one_arena = AddArena(0, 0);
  return {&rule_of_one_arena, 1, Chains(nullptr, 0, 1), 0, 0, false};
}

}  // namespace pagewarden
