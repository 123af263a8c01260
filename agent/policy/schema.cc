// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/schema.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/policy/allocation_schema.h"
#include "agent/policy/budget_schema.h"
#include "agent/policy/fields.h"
#include "agent/policy/names.h"
#include "agent/policy/patterns.h"

namespace pagewarden {
namespace {

constexpr Field<Metadata> kMetadataFields[] = {
    Required<&Metadata::name, kName>("name", "unique among the loaded documents of its kind"),
    Optional<&Metadata::labels, kLabels>("labels", Absent("none"), "for your own use"),
};

constexpr Field<PresetSpec> kPresetSpecFields[] = {
    Optional<&PresetSpec::libraries, kListOf<kPattern>>(
        "libraries", Absent("unknown"),
        "file names of the libraries that export them, for `policy explain`"),
    Required<&PresetSpec::during, kListOf<kFunctionName>>("during",
                                                          "what rules with this preset name"),
};
constexpr Value<PresetSpec> kPresetSpec = kObject<PresetSpec, kPresetSpecFields>;

// Read by ReadDocument before it chooses a table.
void AlreadyRead(const YamlNode&, bool&, Diagnostics&) {}

template <const auto& kText>
ValueType DescribeConstant() {
  return DescribeWords({kText});
}

template <const auto& kText>
constexpr Value<bool> kConstant = {AlreadyRead, DescribeConstant<kText>};

// Every kind has the same envelope around its spec.
template <typename T, const auto& kKindName, const auto& kSpec>
constexpr Field<T> kEnvelopeFields[] = {
    Checked<T, kConstant<kApiVersion>>("apiVersion", kRequired, Absent(""),
                                       "the version of this language"),
    Checked<T, kConstant<kKindName>>("kind", kRequired, Absent(""), "what the document defines"),
    Required<&T::metadata, kObject<Metadata, kMetadataFields>>("metadata", "its name"),
    Required<&T::spec, kSpec>("spec", "what it says"),
};

constexpr char kAllocationKind[] = "AllocationPolicy";
constexpr char kBudgetKind[] = "MemlockBudget";
constexpr char kPresetKind[] = "Preset";

struct Kind {
  const char* text;
  void (*read)(const YamlNode&, PolicySet&, Diagnostics&);
  ValueType (*describe)();
};

template <typename T, auto kList, const auto& kKindName, const auto& kSpec>
constexpr Kind MakeKind(const char* text) {
  return {text,
          [](const YamlNode& document, PolicySet& set, Diagnostics& diagnostics) {
            ReadObject<kEnvelopeFields<T, kKindName, kSpec>>(document, (set.*kList).emplace_back(),
                                                             diagnostics);
          },
          DescribeObject<kEnvelopeFields<T, kKindName, kSpec>>};
}

constexpr Word<Kind> kKinds[] = {
    {kAllocationKind,
     MakeKind<AllocationPolicy, &PolicySet::policies, kAllocationKind, kAllocationSpec>(
         "Which allocations of which programs are secret, and how the memory that holds them is "
         "kept.")},
    {kBudgetKind, MakeKind<MemlockBudget, &PolicySet::budgets, kBudgetKind, kBudgetSpec>(
                      "How much memory may be locked by whom. It is reported, not enforced.")},
    {kPresetKind, MakeKind<Preset, &PolicySet::presets, kPresetKind, kPresetSpec>(
                      "A list of functions under a name, for rules to refer to. The shipped ones "
                      "are always loaded; yours may stand in any file.")},
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
  const YamlNode* name = FindValue(document, "kind");
  if (name == nullptr) return AddMissingEnvelope(document, diagnostics);
  const int index = FindWord(*name, TextsOf<kKinds>(), diagnostics);
  if (index >= 0) kKinds[index].value.read(document, set, diagnostics);
}

std::vector<KindType> DescribeKinds() {
  std::vector<KindType> kinds;
  for (const Word<Kind>& kind : kKinds) {
    kinds.push_back({kind.text, kind.value.text, kind.value.describe()});
  }
  return kinds;
}

}  // namespace pagewarden
