// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/policy_commands.h"
#include "agent/policy/load.h"
#include "agent/policy/resolve.h"
#include "agent/policy/semantic_diff.h"
#include "agent/run/locations.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] =
    R"(Tell what changes between two sets of policies, not how they are written.

Examples:
  pagewarden policy diff old.yaml new.yaml
  pagewarden policy diff /etc/pagewarden/policy.d staging/

Usage:
  pagewarden policy diff BEFORE AFTER [--json]

Options:
  --json         print JSON
  -h, --help     print this help

BEFORE and AFTER are files or directories. Defaults count as if they were spelled out; the order
of rules and arenas counts, since it means something.
Exit codes: 0 no change, 1 changes, 2 usage, 3 invalid policy.
)";

struct DiffOptions {
  std::string before;
  std::string after;
  bool json = false;
};

// The documents of a path whose policies are right.
bool LoadDocuments(const std::string& path, const std::string& presets,
                   std::vector<YamlNode>& documents) {
  PolicySet set;
  Diagnostics diagnostics;
  LoadPath(presets, set, diagnostics);
  LoadPath(path, set, diagnostics, &documents);
  ResolveReferences(set, diagnostics);
  if (!diagnostics.empty()) FailWithDiagnostics(diagnostics);
  return diagnostics.empty();
}

const char* WhatWord(PolicyChange::What what) {
  switch (what) {
    case PolicyChange::What::kAdded:
      return "added";
    case PolicyChange::What::kRemoved:
      return "removed";
    case PolicyChange::What::kChanged:
      return "changed";
  }
  return "";
}

std::string ValueOrNone(const std::string& value) {
  return value.empty() ? "(none)" : Printable(value);
}

void PrintText(const std::vector<PolicyChange>& changes) {
  for (const PolicyChange& change : changes) {
    std::cout << change.kind << " " << change.name << ": " << WhatWord(change.what) << "\n";
    for (const FieldChange& field : change.fields) {
      std::cout << "  " << Printable(field.path) << ": " << ValueOrNone(field.before) << " -> "
                << ValueOrNone(field.after) << "\n";
    }
  }
  if (changes.empty()) std::cout << "no change\n";
}

void PrintJson(const std::vector<PolicyChange>& changes) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const PolicyChange& change : changes) {
    nlohmann::ordered_json fields = nlohmann::ordered_json::array();
    for (const FieldChange& field : change.fields) {
      fields.push_back({{"path", field.path}, {"before", field.before}, {"after", field.after}});
    }
    list.push_back({{"kind", change.kind},
                    {"name", change.name},
                    {"change", WhatWord(change.what)},
                    {"fields", fields}});
  }
  const nlohmann::ordered_json json = {{"schemaVersion", 1}, {"changes", list}};
  std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

int RunDiff(const DiffOptions& options) {
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) return PolicyFail(kExitPartialData, locations.status().message());
  const std::string presets = absl::StrCat(locations->policies, "/presets");
  std::vector<YamlNode> before, after;
  if (!LoadDocuments(options.before, presets, before) ||
      !LoadDocuments(options.after, presets, after))
    return kExitInvalidPolicy;
  const std::vector<PolicyChange> changes = DiffPolicies(before, after);
  options.json ? PrintJson(changes) : PrintText(changes);
  return changes.empty() ? kExitClean : kExitFindings;
}

}  // namespace

void AddPolicyDiff(CLI::App& group, int& exit_code) {
  const auto options = std::make_shared<DiffOptions>();
  CLI::App* diff = AddPolicySubcommand(group, "diff", "What changes between two sets", kHelp);
  diff->add_option("before", options->before)->required();
  diff->add_option("after", options->after)->required();
  diff->add_flag("--json", options->json);
  diff->callback([options, &exit_code] { exit_code = RunDiff(*options); });
}

}  // namespace pagewarden
