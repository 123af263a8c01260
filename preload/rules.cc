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

bool MapTables(const PolicyImage& image, const abi::PolicyEntry& policy, RuleTables* out) {
  const uint32_t count = TagsOf(policy);
  const size_t rule_bytes = (count + policy.rules.count) * sizeof(Rule);
  void* memory = MapTable(rule_bytes + image.function_count() * sizeof(uint16_t) + 1);
  if (memory == nullptr) return false;
  auto* rules = static_cast<Rule*>(memory);
  out->set = {rules, count, rules + count, 0, policy.mode == abi::Mode::kAudit};
  out->slot_tags = reinterpret_cast<uint16_t*>(static_cast<char*>(memory) + rule_bytes);
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

Rule AddRule(const PolicyImage& image, const abi::RuleEntry& rule, uint32_t arena, uint32_t tag,
             uint16_t* slot_tags) {
  NameTag(tag, image.text(rule.name), rule.name.bytes, arena);
  const uint32_t functions = rule.form == abi::RuleForm::kDuring ? rule.operands.count : 0;
  for (uint32_t i = 0; i < functions; ++i) {
    uint16_t& of_slot = slot_tags[image.rule_slot(rule.operands.first + i)];
    if (of_slot == 0) of_slot = static_cast<uint16_t>(tag + 1);  // the first rule wins a function
  }
  return {rule.min_bytes, rule.max_bytes, &fence.arenas[arena], tag};
}

}  // namespace

bool BuildRules(const PolicyImage& image, const abi::PolicyEntry& policy, RuleTables* out) {
  if (!MapTables(image, policy, out)) return false;
  auto* rules = const_cast<Rule*>(out->set.rules);
  auto* everywhere = const_cast<Rule*>(out->set.everywhere);
  for (uint32_t i = 0; i < policy.rules.count; ++i) {
    const abi::RuleEntry& rule = image.rule(policy.rules.first + i);
    rules[i] = AddRule(image, rule, rule.arena - policy.arenas.first, i, out->slot_tags);
    if (rule.form == abi::RuleForm::kAll) everywhere[out->set.everywhere_count++] = rules[i];
  }
  for (uint32_t arena = 0; arena < policy.arenas.count; ++arena)
    rules[policy.rules.count + arena] = AddArena(arena, policy.rules.count + arena);
  ledger.rule_count = policy.rules.count;
  return true;
}

RuleSet RulesOfOneArena() {
  rule_of_one_arena = AddArena(0, 0);
  return {&rule_of_one_arena, 1, nullptr, 0, false};
}

}  // namespace pagewarden
