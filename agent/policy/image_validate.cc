// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "agent/policy/image.h"
#include "agent/policy/image_view.h"
#include "preload/abi/checksum.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint32_t kAllArenaFlags = abi::kArenaCanary | abi::kArenaExcludeFromCoreDump;

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("policy image: bad ", what));
}

absl::Status CheckHeader(const ImageView& view, absl::string_view image) {
  const abi::PolicyImageHeader& header = view.header();
  if (memcmp(header.magic, abi::kPolicyMagic, sizeof(header.magic)) != 0) return Invalid("magic");
  if (header.version != abi::kPolicyImageVersion) return Invalid("version");
  if (header.image_bytes != image.size() || image.size() > abi::kMaxPolicyImageBytes) {
    return Invalid("size");
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(image.data());
  const uint64_t checksum =
      abi::Checksum(bytes + abi::kChecksumStart, image.size() - abi::kChecksumStart);
  return checksum == header.checksum ? absl::OkStatus() : Invalid("checksum");
}

bool TablesFit(const ImageView& view) {
  const abi::PolicyImageHeader& header = view.header();
  return view.Contains<abi::PolicyEntry>(header.policies) &&
         view.Contains<abi::SelectorEntry>(header.selectors) &&
         view.Contains<abi::Text>(header.binaries) &&
         view.Contains<abi::ArenaEntry>(header.arenas) &&
         view.Contains<abi::RuleEntry>(header.rules) &&
         view.Contains<uint32_t>(header.rule_slots) && view.Contains<abi::Text>(header.functions) &&
         view.Contains<abi::Text>(header.patterns) &&
         view.Contains<abi::CallerEntry>(header.callers) &&
         view.Contains<abi::SignatureEntry>(header.signatures) &&
         view.Contains<abi::BuildId>(header.build_ids) && view.Contains<char>(header.pool);
}

// Calls check(record) for each entry of `range`, until one is refused.
template <typename Record, typename Check>
bool All(const ImageView& view, const abi::Table& table, const abi::Range& range, Check check) {
  if (!Within(range, table)) return false;
  for (uint64_t i = 0; i < range.count; ++i) {
    if (!check(*view.At<Record>(table, range.first + i))) return false;
  }
  return true;
}

// One or two of them, no repeats, nothing behind the end.
bool IsValid(const abi::Backing (&backing)[abi::kMaxBackings]) {
  const auto is_known = [](abi::Backing b) { return b <= abi::Backing::kSecretMemory; };
  return backing[0] != abi::Backing::kNone && backing[0] != backing[1] &&
         std::all_of(std::begin(backing), std::end(backing), is_known);
}

bool IsValid(const ImageView& view, const abi::ArenaEntry& arena) {
  return view.At(arena.name).has_value() && arena.capacity_bytes > 0 &&
         arena.capacity_bytes % kPageBytes == 0 && (arena.flags & ~kAllArenaFlags) == 0 &&
         arena.on_fork <= abi::OnFork::kExclude &&
         arena.on_lock_failure <= abi::OnLockFailure::kFail &&
         arena.on_capacity_exhausted <= abi::OnCapacityExhausted::kGrow && IsValid(arena.backing);
}

bool IsValid(const ImageView& view, const abi::SignatureEntry& signature) {
  const auto is_known = [&](const abi::Frame& frame) {
    return frame.module < view.header().build_ids.count;
  };
  return signature.depth >= 1 && signature.depth <= abi::kMaxSignatureDepth &&
         std::all_of(signature.frames, signature.frames + signature.depth, is_known);
}

bool HasValidOperands(const ImageView& view, const abi::RuleEntry& rule) {
  const abi::PolicyImageHeader& header = view.header();
  if (rule.form == abi::RuleForm::kAll) return rule.operands.count == 0;
  if (rule.operands.count == 0) return false;
  switch (rule.form) {
    case abi::RuleForm::kCallers:
      return Within(rule.operands, header.callers);
    case abi::RuleForm::kStack:
      return Within(rule.operands, header.signatures);
    case abi::RuleForm::kReadFrom:
      return Within(rule.operands, header.patterns);
    case abi::RuleForm::kDuring:
      return All<uint32_t>(view, header.rule_slots, rule.operands,
                           [&](uint32_t slot) { return slot < header.functions.count; });
    default:
      return false;
  }
}

bool IsValid(const ImageView& view, const abi::RuleEntry& rule, const abi::Range& arenas) {
  const bool arena_is_own = rule.arena >= arenas.first && rule.arena - arenas.first < arenas.count;
  return view.At(rule.name).has_value() && arena_is_own && rule.min_bytes <= rule.max_bytes &&
         Within(rule.threads, view.header().patterns) && HasValidOperands(view, rule);
}

bool IsValid(const ImageView& view, const abi::PinEntry& pin) {
  return (pin.flags & ~(abi::kPinProcess | abi::kPinEnvironment)) == 0 &&
         pin.stack_bytes % kPageBytes == 0 && pin.scrub_bytes % kPageBytes == 0 &&
         Within(pin.mappings, view.header().patterns) && Within(pin.data, view.header().patterns);
}

bool IsValid(const ImageView& view, const abi::SelectorEntry& selector) {
  const abi::PolicyImageHeader& header = view.header();
  return Within(selector.binaries, header.binaries) && Within(selector.units, header.patterns) &&
         Within(selector.slices, header.patterns) && Within(selector.cgroups, header.patterns);
}

bool IsValid(const ImageView& view, const abi::PolicyEntry& policy) {
  const abi::PolicyImageHeader& header = view.header();
  const bool counts_fit = policy.arenas.count >= 1 &&
                          policy.arenas.count <= abi::kMaxArenasPerPolicy &&
                          policy.rules.count <= abi::kMaxRulesPerPolicy;
  return counts_fit && view.At(policy.name).has_value() && policy.mode <= abi::Mode::kEnforce &&
         (policy.flags & ~abi::kPolicySecureExec) == 0 && IsValid(view, policy.pin) &&
         Within(policy.transparent, header.callers) && IsValid(view, policy.selector) &&
         Within(policy.exceptions, header.selectors) &&
         All<abi::ArenaEntry>(view, header.arenas, policy.arenas,
                              [&](const abi::ArenaEntry& arena) { return IsValid(view, arena); }) &&
         All<abi::RuleEntry>(view, header.rules, policy.rules, [&](const abi::RuleEntry& rule) {
           return IsValid(view, rule, policy.arenas);
         });
}

// All records of a table.
template <typename Record, typename Check>
bool All(const ImageView& view, const abi::Table& table, Check check) {
  return All<Record>(view, table, {0, table.count}, check);
}

absl::Status CheckTables(const ImageView& view) {
  const abi::PolicyImageHeader& header = view.header();
  const auto is_text = [&](const abi::Text& text) { return view.At(text).has_value(); };
  if (!All<abi::Text>(view, header.binaries, is_text)) return Invalid("executable");
  if (!All<abi::SelectorEntry>(view, header.selectors, [&](const abi::SelectorEntry& selector) {
        return IsValid(view, selector);
      })) {
    return Invalid("selector");
  }
  if (!All<abi::Text>(view, header.functions, is_text)) return Invalid("function");
  if (!All<abi::Text>(view, header.patterns, is_text)) return Invalid("pattern");
  if (!All<abi::CallerEntry>(view, header.callers, [&](const abi::CallerEntry& caller) {
        return is_text(caller.module) && is_text(caller.function);
      })) {
    return Invalid("caller");
  }
  if (!All<abi::BuildId>(view, header.build_ids, [](const abi::BuildId& id) {
        return id.size >= 1 && id.size <= abi::kMaxBuildIdBytes;
      })) {
    return Invalid("build-id");
  }
  if (!All<abi::SignatureEntry>(view, header.signatures, [&](const abi::SignatureEntry& entry) {
        return IsValid(view, entry);
      })) {
    return Invalid("signature");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidatePolicyImage(absl::string_view image) {
  if (image.size() < sizeof(abi::PolicyImageHeader)) return Invalid("size");
  const ImageView view(image);
  if (absl::Status status = CheckHeader(view, image); !status.ok()) return status;
  if (!TablesFit(view)) return Invalid("table");
  const abi::PolicyImageHeader& header = view.header();
  if (absl::Status status = CheckTables(view); !status.ok()) return status;
  for (uint32_t i = 0; i < header.policies.count; ++i) {
    if (!IsValid(view, *view.At<abi::PolicyEntry>(header.policies, i))) {
      return Invalid(absl::StrCat("policy ", i));
    }
  }
  return absl::OkStatus();
}

}  // namespace pagewarden
