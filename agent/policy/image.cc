// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/image.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "preload/abi/checksum.h"

namespace pagewarden {
namespace {

constexpr uint32_t kFirstGeneration = 1;
constexpr size_t kTableAlignment = 8;

uint32_t Flags(const Arena& arena) {
  return (arena.canary ? abi::kArenaCanary : 0u) |
         (arena.core_dump == CoreDump::kExclude ? abi::kArenaExcludeFromCoreDump : 0u);
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
    entry.binaries = AddBinaries(policy.spec.selector.match_binaries);
    entry.arenas = AddArenas(policy.spec.arenas);
    entry.rules = AddRules(policy.spec.rules, entry.arenas.first);
    policies_.push_back(entry);
  }

  std::string Finish() && {
    std::string image(sizeof(abi::PolicyImageHeader), '\0');
    abi::PolicyImageHeader header{};
    memcpy(header.magic, abi::kPolicyMagic, sizeof(header.magic));
    header.version = abi::kPolicyImageVersion;
    header.generation = kFirstGeneration;
    header.policies = AppendTable(policies_, image);
    header.binaries = AppendTable(binaries_, image);
    header.arenas = AppendTable(arenas_, image);
    header.rules = AppendTable(rules_, image);
    header.rule_slots = AppendTable(rule_slots_, image);
    header.functions = AppendTable(functions_, image);
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

  abi::Range AddBinaries(const std::vector<std::string>& paths) {
    const abi::Range range{Size(binaries_), Size(paths)};
    for (const std::string& path : paths) binaries_.push_back(AddText(path));
    return range;
  }

  abi::Range AddArenas(const std::vector<Arena>& arenas) {
    const abi::Range range{Size(arenas_), Size(arenas)};
    for (const Arena& arena : arenas) {
      abi::ArenaEntry entry{AddText(arena.name),
                            arena.capacity_bytes,
                            Flags(arena),
                            arena.on_fork,
                            arena.on_lock_failure,
                            arena.on_capacity_exhausted,
                            {},
                            {}};
      std::copy(arena.backing.begin(), arena.backing.end(), entry.backing);
      arenas_.push_back(entry);
    }
    return range;
  }

  abi::Range AddRules(const std::vector<Rule>& rules, uint32_t first_arena) {
    const abi::Range range{Size(rules_), Size(rules)};
    for (const Rule& rule : rules) {
      const abi::Text name = AddText(RuleName(rule, rules_.size() - range.first));
      const auto form = rule.match.IsAll() ? abi::RuleForm::kAll : abi::RuleForm::kDuring;
      rules_.push_back({name, form, first_arena + rule.arena, rule.match.size.min,
                        rule.match.size.max, AddSlots(rule.functions)});
    }
    return range;
  }

  abi::Range AddSlots(const std::vector<std::string>& functions) {
    const abi::Range range{Size(rule_slots_), Size(functions)};
    for (const std::string& function : functions) rule_slots_.push_back(slot_of_.at(function));
    return range;
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
  std::vector<abi::Text> binaries_;
  std::vector<abi::ArenaEntry> arenas_;
  std::vector<abi::RuleEntry> rules_;
  std::vector<uint32_t> rule_slots_;
  std::vector<abi::Text> functions_;
  std::vector<char> pool_;
};

}  // namespace

std::vector<std::string> FunctionTable(const std::vector<AllocationPolicy>& policies) {
  std::vector<std::string> functions;
  absl::flat_hash_set<absl::string_view> seen;
  for (const AllocationPolicy& policy : policies) {
    for (const Rule& rule : policy.spec.rules) {
      for (const std::string& function : rule.functions) {
        if (seen.insert(function).second) functions.push_back(function);
      }
    }
  }
  return functions;
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
