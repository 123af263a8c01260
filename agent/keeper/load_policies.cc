// SPDX-License-Identifier: Apache-2.0
#include "agent/keeper/load_policies.h"

#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/policy/canonical_paths.h"
#include "agent/policy/directories.h"
#include "agent/policy/load.h"
#include "agent/policy/resolve.h"
#include "agent/policy/semantic_diff.h"
#include "agent/run/choose_policies.h"

namespace pagewarden {
namespace {

constexpr size_t kHashBytes = 6;

// By kind and name.
using Texts = std::map<std::pair<std::string, std::string>, std::string>;

std::string Hash(absl::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &bytes, EVP_sha256(), nullptr) != 1 ||
      bytes < kHashBytes) {
    return "";
  }
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), kHashBytes});
}

std::string TextOf(const YamlNode* node) { return node == nullptr ? "" : node->value; }

Texts TextsOf(const std::vector<YamlNode>& documents) {
  Texts texts;
  for (const YamlNode& document : documents) {
    const YamlNode* metadata = FindValue(document, "metadata");
    if (metadata == nullptr) continue;
    const std::string name = TextOf(FindValue(*metadata, "name"));
    texts[{TextOf(FindValue(document, "kind")), name}] = CanonicalText(document);
  }
  return texts;
}

// What a preset stands for is part of what the policy means.
std::string FunctionsOf(const AllocationPolicy& policy) {
  std::string text;
  for (const Rule& rule : policy.spec.rules) {
    absl::StrAppend(&text, absl::StrJoin(rule.functions, " "), "\n");
  }
  return text;
}

std::string FileOf(const Located& document) {
  return document.at.source == nullptr ? "" : document.at.source->name();
}

LoadedPolicy Describe(const char* kind, const Metadata& metadata, const Located& document,
                      abi::Mode mode, const Texts& texts, const std::string& functions) {
  const auto text = texts.find({kind, metadata.name});
  return {metadata.name, kind, FileOf(document),
          Hash(absl::StrCat(text == texts.end() ? "" : text->second, functions)), ModeWord(mode)};
}

void DescribeAll(const Texts& texts, LoadedPolicies& result) {
  for (const AllocationPolicy& policy : result.set.policies) {
    result.loaded.push_back(Describe("AllocationPolicy", policy.metadata, policy, policy.spec.mode,
                                     texts, FunctionsOf(policy)));
  }
  for (const MemlockBudget& budget : result.set.budgets) {
    result.loaded.push_back(
        Describe("MemlockBudget", budget.metadata, budget, budget.spec.mode, texts, ""));
  }
  std::sort(result.loaded.begin(), result.loaded.end(),
            [](const LoadedPolicy& a, const LoadedPolicy& b) {
              return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
            });
  std::string all;
  for (const LoadedPolicy& policy : result.loaded) {
    absl::StrAppend(&all, policy.kind, " ", policy.name, " ", policy.hash, "\n");
  }
  result.hash = Hash(all);
}

std::string OneLineOf(const Diagnostic& diagnostic) {
  const std::string hint = diagnostic.hint.empty() ? "" : absl::StrCat(" (", diagnostic.hint, ")");
  return absl::StrCat(diagnostic.at.ToString(), ": ", diagnostic.message, hint, " [",
                      diagnostic.CodeText(), "]");
}

void Tell(const Diagnostics& diagnostics, LoadedPolicies& result) {
  for (const Diagnostic& diagnostic : diagnostics.Sorted()) {
    (IsWarning(diagnostic.code) ? result.warnings : result.errors).push_back(OneLineOf(diagnostic));
  }
}

}  // namespace

LoadedPolicies LoadPolicies(const PolicySources& sources) {
  LoadedPolicies result;
  Diagnostics diagnostics;
  std::vector<YamlNode> documents;
  LoadPath(absl::StrCat(sources.shipped, "/presets"), result.set, diagnostics);
  LoadDropIns(sources.directories, result.set, diagnostics, &documents);
  AddCanonicalPaths(result.set);
  ResolveReferences(result.set, diagnostics);
  result.shipped = ShippedPolicies(sources.shipped, diagnostics);
  Tell(diagnostics, result);
  ModeCaps caps;
  caps.max = sources.max_mode;
  const auto override = ReadModeOverride(sources.override_path);
  if (override.ok()) {
    caps.override = *override;
  } else {
    result.errors.emplace_back(override.status().message());
  }
  if (!result.errors.empty()) return result;
  for (std::vector<AllocationPolicy>* policies : {&result.set.policies, &result.shipped}) {
    for (AllocationPolicy& policy : *policies) {
      policy.spec.mode = EffectiveMode(policy.spec.mode, caps);
    }
  }
  DescribeAll(TextsOf(documents), result);
  return result;
}

}  // namespace pagewarden
