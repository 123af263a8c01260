// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/rules.h"

#include "preload/base/ledger.h"
#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/base/sys.h"
#include "preload/fence/fence.h"
#include "preload/rules/follow.h"
#include "preload/rules/interceptors.h"
#include "preload/rules/scopes.h"
#include "preload/rules/site_rules.h"
#include "preload/rules/sites.h"
#include "preload/rules/thread_names.h"

namespace pagewarden {

namespace {
PW_SEALED RuleSet rules_of_start = {};
PW_SEALED RuleSet rules_of_one = {};
PW_SEALED const RuleSet* rules_that_stay = &rules_of_start;
}  // namespace

PW_SEALED const RuleSet* const* rules_in_force = &rules_that_stay;

namespace {

PW_SEALED Rule rule_of_one_arena = {};
Chains books;  // grow as files are opened and sites are found

// Most policies have few rules: theirs fit a page that is sealed anyway.
PW_SEALED alignas(8) unsigned char small_table[1536] = {};
PW_SEALED bool small_table_taken = false;

constexpr uint32_t kNone = UINT32_MAX;

PW_SEALED uint32_t first_arena_row = 0;

bool IsOfArena(uint32_t row) { return row - first_arena_row < fence.arena_slots; }

// Else address space from the kernel, since the shim has no heap of its own.
void* MapMemory(size_t bytes) {
  const long at = sys::Reserve(bytes);
  if (sys::Failed(at)) return nullptr;
  void* memory = reinterpret_cast<void*>(at);
  return sys::Failed(sys::Protect(memory, bytes, kProtRead | kProtWrite)) ? nullptr : memory;
}

void* TakeTable(size_t bytes) {
  if (Follows()) return TakeTableMemory(bytes);
  if (small_table_taken || bytes > sizeof(small_table)) return MapMemory(bytes);
  small_table_taken = true;
  return small_table;
}

// As many as there can be: each time that a rule is named may take one. With one rule
// there is nothing to link.
uint32_t CountLinks(const PolicyImage& image, const abi::PolicyEntry& policy) {
  if (policy.rules.count < 2) return 0;
  uint32_t count = 0;
  for (uint32_t i = 0; i < policy.rules.count; ++i) {
    const abi::RuleEntry& rule = image.rule(policy.rules.first + i);
    if (rule.form == abi::RuleForm::kDuring) count += rule.operands.count;
    if (rule.form == abi::RuleForm::kAll) ++count;
  }
  return count;
}

class Builder {
 public:
  Builder(const PolicyImage& image, const abi::PolicyEntry& policy, uint32_t* tags_in_use,
          RuleSet* out)
      : image_(image),
        policy_(policy),
        tags_in_use_(tags_in_use),
        is_first_(*tags_in_use == 0),
        out_(out) {}

  bool Build() {
    out_->image = image_;
    out_->policy = &policy_;
    out_->audit_only = policy_.mode == abi::Mode::kAudit;
    if (!TakeTables()) return false;
    for (uint32_t i = 0; i < policy_.rules.count; ++i) PlaceRule(i);
    for (uint32_t i = 0; i < fence.arena_slots; ++i) PlaceArena(i);
    for (uint32_t i = policy_.rules.count; i-- > 0;)
      if (IsInForce(rules_[i])) List(i);
    out_->short_way = EndOfShortWay();
    out_->first_site_rule = FirstRuleOfSites(*out_);
    SetSizesOfSites(out_);
    return true;
  }

 private:
  const abi::RuleEntry& RuleAt(uint32_t i) const { return image_.rule(policy_.rules.first + i); }

  bool TakeTables() {
    out_->count = policy_.rules.count + fence.arena_slots;
    out_->functions = CountScopes();
    out_->books = fence.books.tag_count();
    const uint32_t links = CountLinks(image_, policy_);
    void* memory = TakeTable(out_->count * sizeof(Rule) + links * sizeof(Link) +
                             out_->functions * sizeof(uint32_t) + out_->books * sizeof(uint16_t));
    if (memory == nullptr) return false;
    rules_ = static_cast<Rule*>(memory);
    auto* first_link = reinterpret_cast<Link*>(rules_ + out_->count);
    function_tags_ = reinterpret_cast<uint32_t*>(first_link + links);
    rule_of_book_ = reinterpret_cast<uint16_t*>(function_tags_ + out_->functions);
    out_->rules = rules_;
    out_->extents = Chains(first_link, links, out_->count);
    out_->function_tags = function_tags_;
    out_->rule_of_book = rule_of_book_;
    return true;
  }

  void PlaceRule(uint32_t i) {
    const abi::RuleEntry& rule = RuleAt(i);
    const char* name = image_.text(rule.name);
    const uint32_t arena = FindArenaOf(image_, image_.arena(rule.arena));
    const uint32_t filter = FilterOf(image_, rule);
    const bool can_be = arena != kNone && filter <= kMaxFilters && HasMeans(rule);
    const uint32_t row = can_be ? RowOf(name, arena, i) : kNone;
    if (row == kNone) {
      rules_[i] = {1, 0, nullptr, 0, 0};
      ++out_->waiting;
      return;
    }
    rules_[i] = {rule.min_bytes, rule.max_bytes, &fence.arenas[arena], row, filter};
    rule_of_book_[row] = static_cast<uint16_t>(i + 1);
  }

  bool HasMeans(const abi::RuleEntry& rule) const {
    uint32_t hint = 0;
    switch (rule.form) {
      case abi::RuleForm::kCallers:
      case abi::RuleForm::kStack:
        return CanJudgeSites();
      case abi::RuleForm::kReadFrom:
        return FindSlot("open", &hint) != out_->functions;
      default:
        return true;
    }
  }

  // At start the rows are taken in the order of the rules; later a rule has the one of its
  // name and arena, and looks for it where it would be if nothing had changed.
  uint32_t RowOf(const char* name, uint32_t arena, uint32_t first) {
    for (uint32_t n = 0; !is_first_ && n < *tags_in_use_; ++n) {
      const uint32_t row = (first + n) % *tags_in_use_;
      const abi::LedgerTag& tag = fence.books.tag(row);
      const bool is_free = rule_of_book_[row] == 0 && !IsOfArena(row);
      if (is_free && tag.arena == arena && IsCutFrom(tag.name, name)) return row;
    }
    return NewRow(name, arena, abi::TagKind::kRemovedRule);
  }

  // The ledger has room for the beginning of long names.
  static bool IsCutFrom(const char (&cut)[32], const char* name) {
    const size_t bytes = Length(name) < sizeof(cut) ? Length(name) : sizeof(cut) - 1;
    return Length(cut) == bytes && EqualBytes(cut, name, bytes);
  }

  uint32_t NewRow(const char* name, uint32_t arena, abi::TagKind kind) {
    if (*tags_in_use_ == out_->books) return kNone;
    const uint32_t row = (*tags_in_use_)++;
    abi::LedgerTag& tag = fence.books.tag(row);
    CopyText(tag.name, sizeof(tag.name), name, Length(name));
    tag.arena = arena;
    __atomic_store(&tag.kind, &kind, __ATOMIC_RELEASE);
    return row;
  }

  void PlaceArena(uint32_t arena) {
    if (is_first_) first_arena_row = *tags_in_use_ - arena;
    const bool is_spare = arena >= ArenaCount();
    const abi::TagKind kind = is_spare ? abi::TagKind::kSpare : abi::TagKind::kArena;
    const uint32_t row =
        is_first_ ? NewRow(ledger.arenas[arena].name, arena, kind) : first_arena_row + arena;
    rules_[policy_.rules.count + arena] = {0, UINT64_MAX, &fence.arenas[arena], row, 0};
  }

  // Precondition: the rules behind this one are listed already.
  void List(uint32_t index) {
    const abi::RuleEntry& rule = RuleAt(index);
    if (rule.form == abi::RuleForm::kAll) out_->everywhere = Prepend(index, out_->everywhere);
    if (rule.form != abi::RuleForm::kDuring) return;
    bool lacks_one = false;
    uint32_t hint = 0;
    for (uint32_t i = 0; i < rule.operands.count; ++i) {
      const uint32_t function = image_.rule_slot(rule.operands.first + i);
      const uint32_t slot = FindSlot(image_.function(function), &hint);
      if (slot == out_->functions) {
        lacks_one = true;
      } else {
        function_tags_[slot] = Prepend(index, function_tags_[slot]);
      }
    }
    out_->waiting += lacks_one;
  }

  uint32_t Prepend(uint32_t rule, uint32_t tag) {
    const uint32_t longer = out_->extents.Prepend(rule, tag);
    return longer != 0 ? longer : tag;
  }

  // Before it, no rule is of a form that has to be asked for in every extent.
  uint32_t EndOfShortWay() const {
    uint32_t end = 0;
    while (end < policy_.rules.count && RuleAt(end).form == abi::RuleForm::kDuring) ++end;
    return end;
  }

  const PolicyImage& image_;
  const abi::PolicyEntry& policy_;
  uint32_t* tags_in_use_;
  const bool is_first_;
  RuleSet* out_;
  Rule* rules_ = nullptr;
  uint32_t* function_tags_ = nullptr;
  uint16_t* rule_of_book_ = nullptr;
};

}  // namespace

void SetRules(const RuleSet& rules) {
  RuleSet& place = rules.policy != nullptr ? rules_of_start : rules_of_one;
  place = rules;
  __atomic_store_n(&rules_that_stay, &place, __ATOMIC_RELEASE);
}

bool PrepareBookLists() {
  void* links = MapMemory(kMaxBookLinks * sizeof(Link));
  if (links == nullptr) return false;
  books = Chains(static_cast<Link*>(links), kMaxBookLinks, abi::kMaxLedgerTags);
  return true;
}

bool BuildRules(const PolicyImage& image, const abi::PolicyEntry& policy, uint32_t* tags_in_use,
                RuleSet* out) {
  return Builder(image, policy, tags_in_use, out).Build();
}

void MarkRows(const RuleSet& set, uint32_t tags_in_use) {
  uint32_t in_force = 0;
  for (uint32_t row = 0; row < tags_in_use; ++row) {
    abi::LedgerTag& tag = fence.books.tag(row);
    const bool is_rule = set.rule_of_book != nullptr && set.rule_of_book[row] != 0;
    const abi::TagKind kind = is_rule ? abi::TagKind::kRule : abi::TagKind::kRemovedRule;
    if (!IsOfArena(row)) __atomic_store(&tag.kind, &kind, __ATOMIC_RELAXED);
    in_force += is_rule;
  }
  __atomic_store_n(&ledger.rule_count, in_force, __ATOMIC_RELAXED);
}

bool OpenNewArena(const PolicyImage& image, const abi::ArenaEntry& arena) {
  const uint32_t index = ArenaCount();
  if (!OpenSpareArena(arena, image.text(arena.name), arena.name.bytes)) return false;
  abi::LedgerTag& tag = fence.books.tag(first_arena_row + index);
  CopyText(tag.name, sizeof(tag.name), image.text(arena.name), arena.name.bytes);
  const abi::TagKind kind = abi::TagKind::kArena;
  __atomic_store(&tag.kind, &kind, __ATOMIC_RELEASE);
  return true;
}

uint32_t FindArenaOf(const PolicyImage& image, const abi::ArenaEntry& arena) {
  for (uint32_t i = 0; i < ArenaCount(); ++i) {
    const char* name = ledger.arenas[i].name;
    const size_t bytes = Length(name);
    const bool is_cut = bytes == sizeof(ledger.arenas[i].name) - 1 && arena.name.bytes > bytes;
    if ((is_cut || bytes == arena.name.bytes) && EqualBytes(name, image.text(arena.name), bytes))
      return i;
  }
  return kNone;
}

uint32_t PrependBook(uint32_t book, uint32_t tag) { return books.Prepend(book, tag); }

uint32_t FirstRuleOfBooks(const RuleSet& set, uint32_t tag, size_t bytes, uint32_t below) {
  books.VisitAll(tag, [&](uint32_t book) {
    const uint32_t rule = book < set.books ? set.rule_of_book[book] : 0u;
    if (rule != 0 && rule - 1 < below && Takes(set.rules[rule - 1], bytes)) below = rule - 1;
  });
  return below;
}

RuleSet RulesOfOneArena() {
  abi::LedgerTag& tag = fence.books.tag(0);
  CopyText(tag.name, sizeof(tag.name), ledger.arenas[0].name, Length(ledger.arenas[0].name));
  tag.kind = abi::TagKind::kArena;
  rule_of_one_arena = {0, UINT64_MAX, &fence.arenas[0], 0, 0};
  RuleSet set = {};
  set.rules = &rule_of_one_arena;
  set.count = 1;
  set.extents = Chains(nullptr, 0, 1);
  return set;
}

}  // namespace pagewarden
