// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/agent_commands.h"
#include "agent/cli/policy_commands.h"
#include "agent/policy/directories.h"
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
  pagewarden policy diff staging/       against the policies of the running agent
  pagewarden policy diff                what the drop-in directories hold against those

Usage:
  pagewarden policy diff [[BEFORE] AFTER] [--socket PATH] [--json]

Options:
  --json         print JSON
  --socket PATH  of the agent (root: /run/pagewarden/agent.sock)
  -h, --help     print this help

BEFORE and AFTER are files or directories. Defaults count as if they were spelled out; the order
of rules and arenas counts, since it means something.
Exit codes: 0 no change, 1 changes, 2 usage, 3 invalid policy, 5 no agent answers.
)";

struct DiffOptions {
  std::vector<std::string> paths;  // none: drop-in directories; one: after; two: before, after
  std::string socket;
  bool json = false;
};

// The documents of a path whose policies are right; empty: of the drop-in directories.
bool LoadDocuments(const std::string& path, const std::string& presets,
                   std::vector<YamlNode>& documents) {
  PolicySet set;
  Diagnostics diagnostics;
  LoadPath(presets, set, diagnostics);
  if (path.empty()) {
    LoadDropIns(DefaultPolicyDirectories(), set, diagnostics, &documents);
  } else {
    LoadPath(path, set, diagnostics, &documents);
  }
  ResolveReferences(set, diagnostics);
  if (!diagnostics.empty()) FailWithDiagnostics(diagnostics);
  return diagnostics.empty();
}

std::string TextOf(const nlohmann::ordered_json& file, const char* key) {
  const auto found = file.find(key);
  return found != file.end() && found->is_string() ? found->get<std::string>() : "";
}

// Those that the agent has in force, from the files it read; the shipped presets apart.
absl::Status LoadFromAgent(const std::string& socket, std::vector<YamlNode>& documents) {
  const auto answer = AskAgent(socket, "/v1/policies");
  if (!answer.ok()) return answer.status();
  const auto files = answer->find("files");
  if (files == answer->end() || !files->is_array()) return absl::UnavailableError("no files");
  for (const nlohmann::ordered_json& file : *files) {
    if (file.value("shipped", false)) continue;
    PolicySet set;
    Diagnostics diagnostics;  // it loaded them: they are right
    LoadSource(std::make_shared<Source>(TextOf(file, "path"), TextOf(file, "text")), set,
               diagnostics, &documents);
  }
  return absl::OkStatus();
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
  const bool is_of_agent = options.paths.size() < 2;
  if (is_of_agent) {
    const absl::Status status = LoadFromAgent(options.socket, before);
    if (!status.ok()) return PolicyFail(kExitUnreachable, status.message());
  } else if (!LoadDocuments(options.paths[0], presets, before)) {
    return kExitInvalidPolicy;
  }
  const std::string path = options.paths.empty() ? "" : options.paths.back();
  if (!LoadDocuments(path, presets, after)) return kExitInvalidPolicy;
  const std::vector<PolicyChange> changes = DiffPolicies(before, after);
  options.json ? PrintJson(changes) : PrintText(changes);
  return changes.empty() ? kExitClean : kExitFindings;
}

}  // namespace

void AddPolicyDiff(CLI::App& group, int& exit_code) {
  const auto options = std::make_shared<DiffOptions>();
  CLI::App* diff = AddPolicySubcommand(group, "diff", "What changes between two sets", kHelp);
  diff->add_option("paths", options->paths)->expected(0, 2);
  diff->add_option("--socket", options->socket);
  diff->add_flag("--json", options->json);
  diff->callback([options, &exit_code] { exit_code = RunDiff(*options); });
}

}  // namespace pagewarden
