// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/allocation_schema.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/policy/modes.h"
#include "agent/policy/names.h"
#include "agent/policy/patterns.h"
#include "agent/policy/resolve.h"
#include "agent/policy/selector_schema.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kMaxArenaBytes = 1 << 30;
constexpr uint64_t kMaxScrubBytes = 64 << 10;
constexpr uint64_t kMaxPinnedStackBytes = 8 << 20;
constexpr size_t kMaxSecrets = 64;

// A protection that costs nothing, and that the shim's other ones rely on.
void ReadAlwaysOn(const YamlNode& node, bool&, Diagnostics& diagnostics) {
  bool on = true;
  ReadFlag(node, on, diagnostics);
  if (!on) diagnostics.Add(node.at, PolicyError::kOutOfRange, "this cannot be turned off");
}

ValueType DescribeTrue() {
  ValueType type = DescribeFlag();
  type.label = "`true`";
  type.only_true = true;
  return type;
}
constexpr Value<bool> kAlwaysOn = {ReadAlwaysOn, DescribeTrue};

// The shortest way to say that a rule has no condition; there is no opposite of it.
void ReadAll(const YamlNode& node, std::optional<bool>& all, Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  ReadFlag(node, all.emplace(false), diagnostics);
  if (*all || diagnostics.count() != errors) return;
  diagnostics.Add(node.at, PolicyError::kOutOfRange, "all can only be true",
                  "leave it out, and say with preset or during what matches");
}
constexpr Value<std::optional<bool>> kAll = {ReadAll, DescribeTrue};

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

// A list without repeats; `hint` is for one that has some.
template <typename T>
void TakeUnique(const YamlNode& node, std::vector<T> list, const char* hint, std::vector<T>& taken,
                Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  for (auto item = list.begin(); item != list.end(); ++item) {
    if (std::find(list.begin(), item, *item) == item) continue;
    const YamlNode& repeat = node.items[static_cast<size_t>(item - list.begin())];
    diagnostics.Add(repeat.at, PolicyError::kDuplicateName,
                    absl::StrCat(Quoted(repeat.value), " is already in the list"), hint);
  }
  if (diagnostics.count() == errors) taken = std::move(list);
}

ValueType Unique(ValueType list) {
  list.unique_items = true;
  return list;
}

// The kinds of memory to try, the best first, each once.
void ReadBackings(const YamlNode& node, std::vector<abi::Backing>& backings,
                  Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  std::vector<abi::Backing> list;
  ReadList<kWord<abi::Backing, kBackings>, 0>(node, list, diagnostics);
  if (diagnostics.count() != errors) return;
  TakeUnique(node, std::move(list), "name each backing once, the best first", backings,
             diagnostics);
}

constexpr Value<std::vector<abi::Backing>> kBackingList = {ReadBackings, [] {
                                                             return Ordered(Unique(kListOf<kWord<abi::Backing, kBackings>>.describe()));
                                                           }};

void ReadSecrets(const YamlNode& node, std::vector<std::string>& secrets,
                 Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  std::vector<std::string> list;
  ReadList<kSecretPath, kMaxSecrets>(node, list, diagnostics);
  if (diagnostics.count() != errors) return;
  TakeUnique(node, std::move(list), "name each file once", secrets, diagnostics);
}

constexpr Value<std::vector<std::string>> kSecretList = {
    ReadSecrets, [] { return Unique(kListOf<kSecretPath, kMaxSecrets>.describe()); }};

constexpr auto kSelectorTable =
    Join(kSelectorFields<Selector>,
         std::array<Field<Selector>, 1>{
             Optional<&Selector::secure_exec, kWord<SecureExec, kSecureExecs>>(
                 "secureExec", Default("Deny"),
                 "whether it is also for a program in secure-execution mode (setuid, setgid, file "
                 "capabilities), which the loader gives the shim only in certain ways")});

constexpr Field<SizeRange> kSizeFields[] = {
    Optional<&SizeRange::min, kQuantity>("min", Default("0"), "no smaller requests"),
    Optional<&SizeRange::max, kQuantity>("max", Absent("no bound"), "no larger requests"),
};

constexpr Field<Caller> kCallerFields[] = {
    Required<&Caller::module, kPattern>(
        "module",
        "for the name of an executable's or library's file; for its whole path, if there "
        "is a slash in it"),
    Optional<&Caller::functions, kListOf<kPattern>>("functions", Absent("all of the module"),
                                                    "for names in its dynamic symbol table"),
};

constexpr Field<Match> kMatchFields[] = {
    Optional<&Match::preset, kOptionalReference>(
        "preset", Absent(""), "either this: allocations made while a function of the preset runs")
        .Example("openssl-private-keys"),
    Optional<&Match::during, kListOf<kFunctionName>>("during", Absent(""),
                                                     "or this: those made while one of these runs")
        .Example("[PEM_read_bio_PrivateKey]"),
    Optional<&Match::callers, kListOf<kObject<Caller, kCallerFields>>>(
        "callers", Absent(""), "or this: those that one of these asks for")
        .Example("[{module: 'libfoo.so*', functions: ['key_*']}]"),
    Optional<&Match::stack, kListOf<kOrderedListOf<kCodeAddress, abi::kMaxSignatureDepth>>>(
        "stack", Absent(""),
        "or this: those at one of these places of the code, the innermost address first; "
        "`pagewarden learn` writes them"),
    Optional<&Match::read_from, kListOf<kPathPattern>>(
        "readFrom", Absent(""), "or this: those that a thread makes while it has such a file open")
        .Example("[/etc/app/*.key]"),
    Optional<&Match::all, kAll>("all", Absent(""), "or this: every allocation"),
    Optional<&Match::size, kObject<SizeRange, kSizeFields>>(
        "size", Absent("every size"), "only requests of this size, both bounds included"),
    Optional<&Match::threads, kListOf<kThreadPattern>>("threads", Absent("every thread"),
                                                       "only in threads of one of these names"),
};

// That no form is there has its reason in another error, such as a mistyped key: then it is
// left out.
void ReadMatch(const YamlNode& node, Match& match, Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  ReadObject<kMatchFields>(node, match, diagnostics);
  if (diagnostics.count() != errors && FormsOf(match).empty()) match.at = {};
}

ValueType DescribeMatch() {
  ValueType type = DescribeObject<kMatchFields>();
  type.one_of = {"preset", "during", "callers", "stack", "readFrom", "all"};
  return type;
}
constexpr Value<Match> kMatch = {ReadMatch, DescribeMatch};

constexpr Field<Placement> kPlacementFields[] = {
    Required<&Placement::arena, kReference>("arena", "one of the policy's"),
};

constexpr Field<Rule> kRuleFields[] = {
    Optional<&Rule::name, kName>("name", Absent("the preset's, or `rule-N`"),
                                 "unique within the policy; `audit` shows the first 31 characters"),
    Optional<&Rule::priority, kInteger>(
        "priority", Default("0"),
        "of the rules that match an allocation, the one with the highest applies; of equal ones, "
        "the first"),
    Required<&Rule::match, kMatch>("match", "which allocations"),
    Optional<&Rule::place, kObject<Placement, kPlacementFields>>("place", Absent("the first arena"),
                                                                 "where they go"),
};

constexpr Field<Arena> kArenaFields[] = {
    Required<&Arena::name, kArenaName>("name", "unique within the policy"),
    Optional<&Arena::capacity_bytes, kQuantityIn<kPageBytes, kMaxArenaBytes, kPageBytes>>(
        "capacity", Default("1Mi"), "in **each** process; counts against its `RLIMIT_MEMLOCK`"),
    Checked<Arena, kAlwaysOn>("guardPages", kOptional, Default("true"),
                              "unmapped pages around the arena; they cost nothing and cannot be "
                              "turned off"),
    Optional<&Arena::canary, kFlag>("canary", Default("true"),
                                    "a word behind each allocation, checked on free"),
    Checked<Arena, kAlwaysOn>("wipeOnFree", kOptional, Default("true"),
                              "cannot be turned off: the arena relies on free memory being zero"),
    Optional<&Arena::core_dump, kWord<CoreDump, kCoreDumps>>("coreDump", Default("Exclude"),
                                                             "whether a core dump holds the arena"),
    Optional<&Arena::on_fork, kWord<abi::OnFork, kOnForks>>("onFork", Default("Relock"),
                                                            "what a child of `fork` gets"),
    Optional<&Arena::on_lock_failure, kWord<abi::OnLockFailure, kOnLockFailures>>(
        "onLockFailure", Default("AllocateUnlocked"),
        "the shim counts it and reports it as not fenced"),
    Optional<&Arena::on_capacity_exhausted, kWord<abi::OnCapacityExhausted, kOnCapacityExhausteds>>(
        "onCapacityExhausted", Default("AllocateUnlocked"), "likewise; `Grow` locks more"),
    Optional<&Arena::backing, kBackingList>(
        "backing", Default("[LockedAnonymous]"),
        "the kernel's memory behind the arena: the first of the list that works"),
};

constexpr Field<Pin> kPinFields[] = {
    Optional<&Pin::process, kFlag>("process", Default("false"),
                                   "all of the process that can be written"),
    Optional<&Pin::mappings, kListOf<kPattern>>(
        "mappings", Absent("none"),
        "of modules: what they get from `mmap` when they call it themselves: the pools of APR, "
        "pymalloc, V8, jemalloc"),
    Optional<&Pin::data, kListOf<kPattern>>(
        "data", Absent("none"),
        "of modules: their writable segments (`.data`, `.bss`), less what the loader makes "
        "read-only"),
    Optional<&Pin::stack_bytes, kQuantityIn<kPageBytes, kMaxPinnedStackBytes, kPageBytes>>(
        "stacks", Absent("nothing"), "the upper part of each thread's stack, of this size"),
    Optional<&Pin::environment, kFlag>(
        "environment", Default("false"),
        "the pages with the texts of arguments and environment, at the top of the main stack. What "
        "the program copies elsewhere (a changed title, an environment that grows) is ordinary "
        "memory"),
    Optional<&Pin::scrub_bytes, kQuantityIn<kPageBytes, kMaxScrubBytes, kPageBytes>>(
        "scrubStack", Absent("nothing"),
        "locks nothing: zeroes this much of the dead stack when a `during` function has ended"),
};

constexpr Field<Rollout> kRolloutFields[] = {
    Required<&Rollout::percent, kIntegerIn<1, 100>>(
        "percent",
        "of all hosts, by a hash of `/etc/machine-id` and the policy's name: the same "
        "ones every time, and a higher number only adds some"),
};

constexpr Field<AllocationSpec> kAllocationSpecFields[] = {
    Optional<&AllocationSpec::mode, kWord<abi::Mode, kModes>>(
        "mode", Default("Enforce"), "`Audit` counts what would move and moves nothing"),
    Optional<&AllocationSpec::priority, kInteger>(
        "priority", Default("0"),
        "of several policies that select one program, the highest applies; of equal ones, the "
        "first by name"),
    Optional<&AllocationSpec::selector, kObject<Selector, kSelectorTable>>(
        "selector", Absent("every process"), "which processes: those that fit every key of it"),
    Optional<&AllocationSpec::exceptions, kListOf<kException>>(
        "exceptions", Absent("none"), "processes that the policy is not for, with the reason"),
    Optional<&AllocationSpec::rollout, kObject<Rollout, kRolloutFields>>(
        "rollout", Absent("every host"), "only on a share of the hosts"),
    Optional<&AllocationSpec::rules,
             kOrderedListOf<kObject<Rule, kRuleFields>, abi::kMaxRulesPerPolicy>>(
        "rules", Absent("nothing moves by itself"),
        "of those that match an allocation, the first applies, unless their `priority` says "
        "otherwise. Without rules (or with `pin` alone), the arenas are for a program that asks "
        "for them by name (`preload/pagewarden.h`)"),
    Optional<&AllocationSpec::transparent, kListOf<kObject<Caller, kCallerFields>>>(
        "transparent",
        Absent("the allocation wrappers of the C and C++ libraries, GLib, libcrypto and libgcrypt"),
        "for `callers`: looked through to find who really asks for memory"),
    Optional<&AllocationSpec::arenas,
             kOrderedListOf<kObject<Arena, kArenaFields>, abi::kMaxArenasPerPolicy>>(
        "arenas", Absent("one named `default`"), "where tagged allocations live"),
    Optional<&AllocationSpec::pin, kObject<Pin, kPinFields>>(
        "pin", Absent("nothing"), "memory to lock where it is, outside the arenas"),
    Optional<&AllocationSpec::environment, kVariables>(
        "environment", Absent("nothing"),
        "variables that `run` sets for the program. The loader's (`LD_…`) and the shim's are "
        "refused")
        .Example("{MALLOC_ARENA_MAX: '2'}"),
    Optional<&AllocationSpec::secrets, kSecretList>(
        "secrets", Absent("none"),
        "files with what the policy is to protect, as its processes see them: private keys, or "
        "one line of text. `pagewarden agent` looks for unfenced copies on a schedule "
        "(`docs/verify.md`)")
        .Example("[/etc/nginx/key.pem]"),
};

// Arenas alone are for a program that asks for them by name (pagewarden.h); pins
// need none.
void ReadAllocationSpec(const YamlNode& node, AllocationSpec& spec, Diagnostics& diagnostics) {
  ReadObject<kAllocationSpecFields>(node, spec, diagnostics);
  if (node.kind != YamlNode::Kind::kMap || FindValue(node, "rules") != nullptr ||
      FindValue(node, "arenas") != nullptr || FindValue(node, "pin") != nullptr)
    return;
  diagnostics.Add(node.at, PolicyError::kMissing, "required key \"rules\" is missing");
}

ValueType DescribeAllocationSpec() {
  ValueType type = DescribeObject<kAllocationSpecFields>();
  type.some_of = {"rules", "arenas", "pin"};
  return type;
}

}  // namespace

const Value<AllocationSpec> kAllocationSpec = {ReadAllocationSpec, DescribeAllocationSpec};

}  // namespace pagewarden
