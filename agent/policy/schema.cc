// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/schema.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/policy/fields.h"
#include "agent/policy/names.h"
#include "agent/policy/quantity.h"

namespace pagewarden {
namespace {

void ReadCapacity(const YamlNode& node, uint64_t& bytes, Diagnostics& diagnostics) {
  uint64_t capacity = bytes;
  ReadQuantity(node, capacity, diagnostics);
  if (capacity < kMinArenaBytes || capacity > kMaxArenaBytes || capacity % kMinArenaBytes != 0) {
    diagnostics.Add(node.at, PolicyError::kOutOfRange,
                    absl::StrCat("capacity ", Quoted(node.value),
                                 " is not a multiple of 4Ki between 4Ki and 1Gi"));
    return;
  }
  bytes = capacity;
}

// Read by ReadDocument before it chooses a table.
template <typename T>
void AlreadyRead(const YamlNode&, T&, Diagnostics&) {}

// A protection that costs nothing, and that the shim's other ones rely on.
template <typename T>
void AlwaysOn(const YamlNode& node, T&, Diagnostics& diagnostics) {
  bool on = true;
  ReadFlag(node, on, diagnostics);
  if (!on) diagnostics.Add(node.at, PolicyError::kOutOfRange, "this cannot be turned off");
}

// The shortest way to say that a rule has no condition; there is no opposite of it.
void ReadAll(const YamlNode& node, std::optional<bool>& all, Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  ReadFlag(node, all.emplace(false), diagnostics);
  if (*all || diagnostics.count() != errors) return;
  diagnostics.Add(node.at, PolicyError::kOutOfRange, "all can only be true",
                  "leave it out, and say with preset or during what matches");
}

constexpr Word<abi::Mode> kModes[] = {{"Disabled", abi::Mode::kDisabled},
                                      {"Audit", abi::Mode::kAudit},
                                      {"Enforce", abi::Mode::kEnforce}};
constexpr Word<SecureExec> kSecureExecs[] = {{"Deny", SecureExec::kDeny},
                                             {"Allow", SecureExec::kAllow}};
constexpr Word<CoreDump> kCoreDumps[] = {{"Exclude", CoreDump::kExclude},
                                         {"Include", CoreDump::kInclude}};
constexpr Word<abi::OnFork> kOnForks[] = {{"Relock", abi::OnFork::kRelock},
                                          {"Wipe", abi::OnFork::kWipe},
                                          {"Exclude", abi::OnFork::kExclude}};
constexpr Word<abi::OnLockFailure> kOnLockFailures[] = {
    {"AllocateUnlocked", abi::OnLockFailure::kAllocateUnlocked},
    {"Fail", abi::OnLockFailure::kFail}};
constexpr Word<abi::OnCapacityExhausted> kOnCapacityExhausteds[] = {
    {"Grow", abi::OnCapacityExhausted::kGrow},
    {"AllocateUnlocked", abi::OnCapacityExhausted::kAllocateUnlocked},
    {"Fail", abi::OnCapacityExhausted::kFail}};
constexpr Word<abi::Backing> kBackings[] = {{"SecretMemory", abi::Backing::kSecretMemory},
                                            {"LockedAnonymous", abi::Backing::kLockedAnonymous}};
static_assert(std::size(kBackings) == abi::kMaxBackings, "a list without repeats always fits");

// The kinds of memory to try, the best first, each once.
void ReadBackings(const YamlNode& node, std::vector<abi::Backing>& backings,
                  Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  std::vector<abi::Backing> list;
  ReadList<ReadWord<kBackings, abi::Backing>>(node, list, diagnostics);
  if (diagnostics.count() != errors) return;
  for (auto backing = list.begin(); backing != list.end(); ++backing) {
    if (std::find(list.begin(), backing, *backing) == backing) continue;
    const YamlNode& item = node.items[static_cast<size_t>(backing - list.begin())];
    diagnostics.Add(item.at, PolicyError::kDuplicateName,
                    absl::StrCat(Quoted(item.value), " is already in the list"),
                    "name each backing once, the best first");
  }
  if (diagnostics.count() == errors) backings = std::move(list);
}

constexpr Field<Metadata> kMetadataFields[] = {
    {"name", kRequired, Into<&Metadata::name, ReadName>},
    {"labels", kOptional, Into<&Metadata::labels, ReadLabels>},
};

constexpr Field<Selector> kSelectorFields[] = {
    {"matchBinaries", kOptional,
     Into<&Selector::match_binaries, ReadList<ReadBinaryPath, std::string>>},
    {"secureExec", kOptional, Into<&Selector::secure_exec, ReadWord<kSecureExecs, SecureExec>>},
};

constexpr Field<SizeRange> kSizeFields[] = {
    {"min", kOptional, Into<&SizeRange::min, ReadQuantity>},
    {"max", kOptional, Into<&SizeRange::max, ReadQuantity>},
};

constexpr Field<Caller> kCallerFields[] = {
    {"module", kRequired, Into<&Caller::module, ReadPattern>},
    {"functions", kOptional, Into<&Caller::functions, ReadList<ReadPattern, std::string>>},
};

void ReadCallers(const YamlNode& node, std::vector<Caller>& callers, Diagnostics& diagnostics) {
  ReadList<ReadObject<kCallerFields, Caller>>(node, callers, diagnostics);
}

void ReadSignature(const YamlNode& node, Signature& signature, Diagnostics& diagnostics) {
  ReadList<ReadCodeAddress>(node, signature, diagnostics);
  if (signature.size() <= abi::kMaxSignatureDepth) return;
  diagnostics.Add(node.items[abi::kMaxSignatureDepth].at, PolicyError::kOutOfRange,
                  absl::StrCat(signature.size(), " return addresses, at most ",
                               abi::kMaxSignatureDepth, " are possible"));
}

constexpr Field<Match> kMatchFields[] = {
    {"preset", kOptional, Into<&Match::preset, ReadOptionalReference>},
    {"during", kOptional, Into<&Match::during, ReadList<ReadFunctionName, std::string>>},
    {"callers", kOptional, Into<&Match::callers, ReadCallers>},
    {"stack", kOptional, Into<&Match::stack, ReadList<ReadSignature, Signature>>},
    {"readFrom", kOptional, Into<&Match::read_from, ReadList<ReadPathPattern, std::string>>},
    {"all", kOptional, Into<&Match::all, ReadAll>},
    {"size", kOptional, Into<&Match::size, ReadObject<kSizeFields, SizeRange>>},
    {"threads", kOptional, Into<&Match::threads, ReadList<ReadThreadPattern, std::string>>},
};

constexpr Field<Placement> kPlacementFields[] = {
    {"arena", kRequired, Into<&Placement::arena, ReadReference>},
};

constexpr Field<Rule> kRuleFields[] = {
    {"name", kOptional, Into<&Rule::name, ReadName>},
    {"priority", kOptional, Into<&Rule::priority, ReadInteger>},
    {"match", kRequired, Into<&Rule::match, ReadObject<kMatchFields, Match>>},
    {"place", kOptional, Into<&Rule::place, ReadObject<kPlacementFields, Placement>>},
};

constexpr Field<Arena> kArenaFields[] = {
    {"name", kRequired, Into<&Arena::name, ReadArenaName>},
    {"capacity", kOptional, Into<&Arena::capacity_bytes, ReadCapacity>},
    {"guardPages", kOptional, AlwaysOn<Arena>},
    {"canary", kOptional, Into<&Arena::canary, ReadFlag>},
    {"wipeOnFree", kOptional, AlwaysOn<Arena>},
    {"coreDump", kOptional, Into<&Arena::core_dump, ReadWord<kCoreDumps, CoreDump>>},
    {"onFork", kOptional, Into<&Arena::on_fork, ReadWord<kOnForks, abi::OnFork>>},
    {"onLockFailure", kOptional,
     Into<&Arena::on_lock_failure, ReadWord<kOnLockFailures, abi::OnLockFailure>>},
    {"onCapacityExhausted", kOptional,
     Into<&Arena::on_capacity_exhausted,
          ReadWord<kOnCapacityExhausteds, abi::OnCapacityExhausted>>},
    {"backing", kOptional, Into<&Arena::backing, ReadBackings>},
};

constexpr uint64_t kMaxScrubBytes = 64 << 10;
constexpr uint64_t kMaxPinnedStackBytes = 8 << 20;

// A whole number of pages, at most `max`.
template <uint64_t max>
void ReadPages(const YamlNode& node, uint64_t& bytes, Diagnostics& diagnostics) {
  uint64_t pages = bytes;
  const size_t errors = diagnostics.count();
  ReadQuantity(node, pages, diagnostics);
  if (diagnostics.count() != errors) return;
  if (pages != 0 && pages <= max && pages % kMinArenaBytes == 0) {
    bytes = pages;
    return;
  }
  diagnostics.Add(node.at, PolicyError::kOutOfRange,
                  absl::StrCat(Quoted(node.value), " is not a multiple of 4Ki between 4Ki and ",
                               max >> 10, "Ki"));
}

constexpr Field<Pin> kPinFields[] = {
    {"process", kOptional, Into<&Pin::process, ReadFlag>},
    {"mappings", kOptional, Into<&Pin::mappings, ReadList<ReadPattern, std::string>>},
    {"data", kOptional, Into<&Pin::data, ReadList<ReadPattern, std::string>>},
    {"stacks", kOptional, Into<&Pin::stack_bytes, ReadPages<kMaxPinnedStackBytes>>},
    {"environment", kOptional, Into<&Pin::environment, ReadFlag>},
    {"scrubStack", kOptional, Into<&Pin::scrub_bytes, ReadPages<kMaxScrubBytes>>},
};

constexpr Field<AllocationSpec> kAllocationSpecFields[] = {
    {"mode", kOptional, Into<&AllocationSpec::mode, ReadWord<kModes, abi::Mode>>},
    {"priority", kOptional, Into<&AllocationSpec::priority, ReadInteger>},
    {"selector", kOptional, Into<&AllocationSpec::selector, ReadObject<kSelectorFields, Selector>>},
    {"rules", kOptional,
     Into<&AllocationSpec::rules, ReadList<ReadObject<kRuleFields, Rule>, Rule>>},
    {"transparent", kOptional, Into<&AllocationSpec::transparent, ReadCallers>},
    {"arenas", kOptional,
     Into<&AllocationSpec::arenas, ReadList<ReadObject<kArenaFields, Arena>, Arena>>},
    {"pin", kOptional, Into<&AllocationSpec::pin, ReadObject<kPinFields, Pin>>},
    {"environment", kOptional, Into<&AllocationSpec::environment, ReadVariables>},
};

const YamlNode* FindValue(const YamlNode& map, absl::string_view key) {
  const auto found = std::find_if(map.entries.begin(), map.entries.end(),
                                  [&](const YamlEntry& entry) { return entry.key.value == key; });
  return found == map.entries.end() ? nullptr : &found->value;
}

// Arenas alone are for a program that asks for them by name (pagewarden.h); pins
// need none.
void ReadAllocationSpec(const YamlNode& node, AllocationSpec& spec, Diagnostics& diagnostics) {
  ReadObject<kAllocationSpecFields>(node, spec, diagnostics);
  if (node.kind != YamlNode::Kind::kMap || FindValue(node, "rules") != nullptr ||
      FindValue(node, "arenas") != nullptr || FindValue(node, "pin") != nullptr)
    return;
  diagnostics.Add(node.at, PolicyError::kMissing, "required key \"rules\" is missing");
}

constexpr Field<PresetSpec> kPresetSpecFields[] = {
    {"libraries", kOptional, Into<&PresetSpec::libraries, ReadList<ReadPattern, std::string>>},
    {"during", kRequired, Into<&PresetSpec::during, ReadList<ReadFunctionName, std::string>>},
};

// Every kind has the same envelope around its spec.
template <typename T, auto kReadSpec>
constexpr Field<T> kEnvelopeFields[] = {
    {"apiVersion", kRequired, AlreadyRead<T>},
    {"kind", kRequired, AlreadyRead<T>},
    {"metadata", kRequired, Into<&T::metadata, ReadObject<kMetadataFields, Metadata>>},
    {"spec", kRequired, Into<&T::spec, kReadSpec>},
};

template <typename T, auto kReadSpec, auto kList>
void ReadKind(const YamlNode& document, PolicySet& set, Diagnostics& diagnostics) {
  ReadObject<kEnvelopeFields<T, kReadSpec>>(document, (set.*kList).emplace_back(), diagnostics);
}

using KindReader = void (*)(const YamlNode&, PolicySet&, Diagnostics&);
constexpr Word<KindReader> kKinds[] = {
    {"AllocationPolicy", ReadKind<AllocationPolicy, ReadAllocationSpec, &PolicySet::policies>},
    {"Preset", ReadKind<Preset, ReadObject<kPresetSpecFields, PresetSpec>, &PolicySet::presets>},
};

// False if the document is of another version: its fields would mean nothing.
bool CheckVersion(const YamlNode& document, Diagnostics& diagnostics) {
  const YamlNode* version = FindValue(document, "apiVersion");
  if (version == nullptr) return true;  // reported with the other missing keys
  if (version->kind == YamlNode::Kind::kScalar && version->value == kApiVersion) return true;
  diagnostics.Add(version->at, PolicyError::kUnknownVersion,
                  absl::StrCat("unknown apiVersion ", Quoted(version->value)),
                  absl::StrCat("this version of pagewarden understands ", kApiVersion));
  return false;
}

// Without a kind there is no table to read the rest by.
void AddMissingEnvelope(const YamlNode& document, Diagnostics& diagnostics) {
  for (const char* key : {"apiVersion", "kind"}) {
    if (FindValue(document, key) != nullptr) continue;
    diagnostics.Add(document.at, PolicyError::kMissing,
                    absl::StrCat("required key ", Quoted(key), " is missing"));
  }
}

}  // namespace

void ReadDocument(const YamlNode& document, PolicySet& set, Diagnostics& diagnostics) {
  if (!ExpectKind(document, YamlNode::Kind::kMap, diagnostics)) return;
  if (!CheckVersion(document, diagnostics)) return;
  const YamlNode* kind = FindValue(document, "kind");
  if (kind == nullptr) return AddMissingEnvelope(document, diagnostics);
  KindReader read = nullptr;
  ReadWord<kKinds>(*kind, read, diagnostics);
  if (read != nullptr) read(document, set, diagnostics);
}

}  // namespace pagewarden
