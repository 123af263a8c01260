// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/image.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "preload/abi/checksum.h"
#include "preload/abi/interceptors.h"

namespace pagewarden {
namespace {

constexpr uint32_t kFirstGeneration = 1;
constexpr size_t kTableAlignment = 8;

uint32_t Flags(const Arena& arena) {
  return (arena.canary ? abi::kArenaCanary : 0u) |
         (arena.core_dump == CoreDump::kExclude ? abi::kArenaExcludeFromCoreDump : 0u);
}

abi::RuleForm FormOf(const Match& match) {
  if (match.IsAll()) return abi::RuleForm::kAll;
  if (!match.callers.empty()) return abi::RuleForm::kCallers;
  if (!match.stack.empty()) return abi::RuleForm::kStack;
  if (!match.read_from.empty()) return abi::RuleForm::kReadFrom;
  return abi::RuleForm::kDuring;
}

// The places of the rules in the policy, by precedence.
std::vector<size_t> ByPrecedence(const std::vector<Rule>& rules) {
  std::vector<size_t> order(rules.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rules[a].priority > rules[b].priority; });
  return order;
}

// A rule without a name goes by its preset, or by its place in the policy.
std::string RuleName(const Rule& rule, size_t index) {
  if (!rule.name.empty()) return rule.name;
  if (rule.match.preset.has_value()) return rule.match.preset->name;
  return absl::StrCat("rule-", index + 1);
}

class ImageWriter {
 public:
  explicit ImageWriter(const std::vector<std::string>& functions) {
    for (const std::string& function : functions) {
      slot_of_[function] = static_cast<uint32_t>(functions_.size());
      functions_.push_back(AddText(function));
    }
  }

  void Add(const AllocationPolicy& policy) {
    abi::PolicyEntry entry{};
    entry.name = AddText(policy.metadata.name);
    entry.priority = policy.spec.priority;
    entry.mode = policy.spec.mode;
    entry.selector = SelectorOf(policy.spec.selector);
    entry.exceptions = AddSelectors(policy.spec.exceptions);
    entry.arenas = AddArenas(policy.spec.arenas);
    entry.rules = AddRules(policy.spec.rules, entry.arenas.first);
    const std::vector<Caller>& transparent = policy.spec.transparent;
    entry.transparent = AddCallers(transparent.empty() ? DefaultTransparent() : transparent);
    if (policy.spec.selector.secure_exec == SecureExec::kAllow)
      entry.flags |= abi::kPolicySecureExec;
    entry.pin = AddPin(policy.spec.pin);
    policies_.push_back(entry);
  }

  std::string Finish() && {
    std::string image(sizeof(abi::PolicyImageHeader), '\0');
    abi::PolicyImageHeader header{};
    memcpy(header.magic, abi::kPolicyMagic, sizeof(header.magic));
    header.version = abi::kPolicyImageVersion;
    header.generation = kFirstGeneration;
    header.policies = AppendTable(policies_, image);
    header.selectors = AppendTable(selectors_, image);
    header.binaries = AppendTable(binaries_, image);
    header.arenas = AppendTable(arenas_, image);
    header.rules = AppendTable(rules_, image);
    header.rule_slots = AppendTable(rule_slots_, image);
    header.functions = AppendTable(functions_, image);
    header.patterns = AppendTable(patterns_, image);
    header.callers = AppendTable(callers_, image);
    header.signatures = AppendTable(signatures_, image);
    header.build_ids = AppendTable(build_ids_, image);
    header.pool = AppendTable(pool_, image);
    header.image_bytes = image.size();
    memcpy(image.data(), &header, sizeof(header));
    header.checksum =
        abi::Checksum(reinterpret_cast<const unsigned char*>(image.data()) + abi::kChecksumStart,
                      image.size() - abi::kChecksumStart);
    memcpy(image.data(), &header, sizeof(header));
    return image;
  }

 private:
  template <typename Record>
  static uint32_t Size(const std::vector<Record>& table) {
    return static_cast<uint32_t>(table.size());
  }

  abi::Text AddText(const std::string& text) {
    const abi::Text entry{Size(pool_), static_cast<uint32_t>(text.size())};
    pool_.insert(pool_.end(), text.begin(), text.end());
    pool_.push_back('\0');
    return entry;
  }

  abi::SelectorEntry SelectorOf(const ProcessSelector& selector) {
    return {AddBinaries(selector.match_binaries), AddPatterns(selector.match_units),
            AddPatterns(selector.match_slices), AddPatterns(selector.match_cgroups)};
  }

  abi::Range AddSelectors(const std::vector<Exception>& exceptions) {
    const abi::Range range{Size(selectors_), Size(exceptions)};
    for (const Exception& exception : exceptions) selectors_.push_back(SelectorOf(exception));
    return range;
  }

  abi::Range AddBinaries(const std::vector<std::string>& paths) {
    const abi::Range range{Size(binaries_), Size(paths)};
    for (const std::string& path : paths) binaries_.push_back(AddText(path));
    return range;
  }

  abi::Range AddArenas(const std::vector<Arena>& arenas) {
    const abi::Range range{Size(arenas_), Size(arenas)};
    for (const Arena& arena : arenas) {
      abi::ArenaEntry entry{
          AddText(arena.name),   arena.capacity_bytes,        Flags(arena), arena.on_fork,
          arena.on_lock_failure, arena.on_capacity_exhausted, {},           {}};
      std::copy(arena.backing.begin(), arena.backing.end(), entry.backing);
      arenas_.push_back(entry);
    }
    return range;
  }

  abi::Range AddRules(const std::vector<Rule>& rules, uint32_t first_arena) {
    const abi::Range range{Size(rules_), Size(rules)};
    for (const size_t i : ByPrecedence(rules)) {
      const Match& match = rules[i].match;
      rules_.push_back({AddText(RuleName(rules[i], i)), FormOf(match), first_arena + rules[i].arena,
                        match.size.min, match.size.max, AddOperands(rules[i]),
                        AddPatterns(match.threads)});
    }
    return range;
  }

  abi::Range AddOperands(const Rule& rule) {
    if (!rule.match.callers.empty()) return AddCallers(rule.match.callers);
    if (!rule.match.stack.empty()) return AddSignatures(rule.match.stack);
    if (!rule.match.read_from.empty()) return AddPatterns(rule.match.read_from);
    return AddSlots(rule.functions);
  }

  abi::Range AddSlots(const std::vector<std::string>& functions) {
    const abi::Range range{Size(rule_slots_), Size(functions)};
    for (const std::string& function : functions) rule_slots_.push_back(slot_of_.at(function));
    return range;
  }

  abi::Range AddPatterns(const std::vector<std::string>& patterns) {
    const abi::Range range{Size(patterns_), Size(patterns)};
    for (const std::string& pattern : patterns) patterns_.push_back(AddText(pattern));
    return range;
  }

  abi::Range AddCallers(const std::vector<Caller>& callers) {
    const uint32_t first = Size(callers_);
    for (const Caller& caller : callers) {
      const abi::Text module = AddText(caller.module);
      if (caller.functions.empty()) callers_.push_back({module, AddText("")});
      for (const std::string& function : caller.functions)
        callers_.push_back({module, AddText(function)});
    }
    return {first, Size(callers_) - first};
  }

  abi::Range AddSignatures(const std::vector<Signature>& signatures) {
    const abi::Range range{Size(signatures_), Size(signatures)};
    for (const Signature& signature : signatures) {
      abi::SignatureEntry entry{};
      for (const CodeAddress& address : signature)
        entry.frames[entry.depth++] = {address.offset, AddBuildId(address.build_id), 0};
      signatures_.push_back(entry);
    }
    return range;
  }

  uint32_t AddBuildId(const std::string& bytes) {
    const auto [known, is_new] = build_id_of_.try_emplace(bytes, Size(build_ids_));
    if (is_new) {
      abi::BuildId id{};
      id.size = static_cast<uint32_t>(
          bytes.copy(reinterpret_cast<char*>(id.bytes), abi::kMaxBuildIdBytes));
      build_ids_.push_back(id);
    }
    return known->second;
  }

  abi::PinEntry AddPin(const Pin& pin) {
    const uint32_t flags =
        (pin.process ? abi::kPinProcess : 0u) | (pin.environment ? abi::kPinEnvironment : 0u);
    return {flags,
            0,
            pin.stack_bytes,
            pin.scrub_bytes,
            AddPatterns(pin.mappings),
            AddPatterns(pin.data)};
  }

  template <typename Record>
  static abi::Table AppendTable(const std::vector<Record>& table, std::string& image) {
    image.resize((image.size() + kTableAlignment - 1) / kTableAlignment * kTableAlignment);
    const auto offset = static_cast<uint32_t>(image.size());
    image.append(reinterpret_cast<const char*>(table.data()), table.size() * sizeof(Record));
    return {offset, Size(table)};
  }

  absl::flat_hash_map<std::string, uint32_t> slot_of_;
  std::vector<abi::PolicyEntry> policies_;
  std::vector<abi::SelectorEntry> selectors_;
  std::vector<abi::Text> binaries_;
  std::vector<abi::ArenaEntry> arenas_;
  std::vector<abi::RuleEntry> rules_;
  std::vector<uint32_t> rule_slots_;
  std::vector<abi::Text> functions_;
  std::vector<abi::Text> patterns_;
  std::vector<abi::CallerEntry> callers_;
  std::vector<abi::SignatureEntry> signatures_;
  absl::flat_hash_map<std::string, uint32_t> build_id_of_;
  std::vector<abi::BuildId> build_ids_;
  std::vector<char> pool_;
};

// Names, each once, in the order of first use.
class OrderedSet {
 public:
  template <typename List>
  void AddAll(const List& list) {
    for (const auto& name : list) {
      if (seen_.insert(name).second) names_.emplace_back(name);
    }
  }
  std::vector<std::string> Take() && { return std::move(names_); }

 private:
  absl::flat_hash_set<std::string> seen_;
  std::vector<std::string> names_;
};

void AddInterceptors(const Pin& pin, OrderedSet& functions) {
  const bool maps = pin.process || !pin.mappings.empty();
  const bool starts_threads = pin.process || pin.stack_bytes != 0 || pin.scrub_bytes != 0;
  if (maps || !pin.data.empty()) functions.AddAll(abi::kLookupFunctions);
  if (maps) functions.AddAll(abi::kMappingFunctions);
  if (starts_threads) functions.AddAll(abi::kThreadStartFunctions);
  if (pin.scrub_bytes != 0) functions.AddAll(abi::kStackSwitchFunctions);
  if (pin.process || pin.environment || pin.stack_bytes != 0)
    functions.AddAll(abi::kStackBoundsFunctions);
  if (pin.process) functions.AddAll(abi::kPrivilegeFunctions);
  if (maps || starts_threads || !pin.data.empty()) functions.AddAll(abi::kSandboxFunctions);
}

// What the shim must interpose for the policy to work, beside what it names.
void AddInterceptors(const AllocationSpec& spec, OrderedSet& functions) {
  for (const Rule& rule : spec.rules) {
    const bool opens = !rule.match.read_from.empty(), names = !rule.match.threads.empty();
    if (opens) functions.AddAll(abi::kFileFunctions);
    if (names) functions.AddAll(abi::kThreadNameFunctions);
    if (opens || names || !rule.functions.empty()) functions.AddAll(abi::kLookupFunctions);
  }
  AddInterceptors(spec.pin, functions);
}

}  // namespace

std::vector<std::string> RuleNamesOf(const AllocationPolicy& policy) {
  std::vector<std::string> names;
  for (const size_t i : ByPrecedence(policy.spec.rules)) {
    names.push_back(RuleName(policy.spec.rules[i], i));
  }
  return names;
}

std::vector<std::string> FunctionTable(const std::vector<AllocationPolicy>& policies) {
  OrderedSet functions;
  for (const AllocationPolicy& policy : policies) {
    for (const Rule& rule : policy.spec.rules) functions.AddAll(rule.functions);
  }
  for (const AllocationPolicy& policy : policies) AddInterceptors(policy.spec, functions);
  return std::move(functions).Take();
}

absl::StatusOr<std::string> CompilePolicyImage(std::vector<AllocationPolicy> policies) {
  const std::vector<std::string> functions = FunctionTable(policies);
  std::sort(policies.begin(), policies.end(), ComesBefore);
  ImageWriter writer(functions);
  for (const AllocationPolicy& policy : policies) writer.Add(policy);
  std::string image = std::move(writer).Finish();
  if (image.size() > abi::kMaxPolicyImageBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the compiled policies need ", image.size(),
                                                     " bytes, at most ", abi::kMaxPolicyImageBytes,
                                                     " are possible"));
  }
  return image;
}

}  // namespace pagewarden
