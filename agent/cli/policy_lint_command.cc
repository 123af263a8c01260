// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/policy_commands.h"
#include "agent/policy/directories.h"
#include "agent/policy/lint.h"
#include "agent/policy/load.h"
#include "agent/policy/surroundings.h"
#include "agent/policy/resolve.h"
#include "agent/run/locations.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] = R"(Check policies: all errors and warnings at once, each with its place.

Examples:
  pagewarden policy lint team.yaml             a file
  pagewarden policy lint policies/             the *.yaml and *.yml files of a directory
  pagewarden policy lint                       what this host has in its drop-in directories
  pagewarden policy lint --json team.yaml      for editors and CI

Usage:
  pagewarden policy lint [FILE-OR-DIR]... [OPTIONS]

Options:
  --policy-dir DIR   without files: these drop-in directories, the lowest first, instead of
                     /usr/lib/pagewarden/policy.d, /etc/pagewarden/policy.d and
                     /run/pagewarden/policy.d; may be given several times
  --strict           warnings count as errors
  --json             print JSON
  -h, --help         print this help

The shipped presets are there to refer to. Exit codes: 0 no error, 2 usage, 3 invalid policy.
)";

struct LintOptions {
  std::vector<std::string> paths;
  std::vector<std::string> directories;
  bool strict = false;
  bool json = false;
};

std::string Count(size_t count, absl::string_view what, absl::string_view plural) {
  return absl::StrCat(count, " ", count == 1 ? what : plural);
}

// What was read, and of the warnings how many there were.
std::string Summary(const PolicySet& set, size_t presets, const Diagnostics& diagnostics) {
  size_t budgets = 0;
  for (const MemlockBudget& document : set.budgets) budgets += document.spec.budgets.size();
  std::string text = Count(set.policies.size(), "policy", "policies");
  if (budgets > 0) absl::StrAppend(&text, ", ", Count(budgets, "budget", "budgets"));
  absl::StrAppend(&text, ", ", Count(presets, "preset", "presets"), ": no errors");
  if (diagnostics.warnings() > 0) {
    absl::StrAppend(&text, ", ", Count(diagnostics.warnings(), "warning", "warnings"));
  }
  return text;
}

void PrintJson(const Diagnostics& diagnostics) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Diagnostic& diagnostic : diagnostics.Sorted()) {
    const Position& at = diagnostic.at;
    list.push_back({{"severity", IsWarning(diagnostic.code) ? "warning" : "error"},
                    {"code", diagnostic.CodeText()},
                    {"file", at.source == nullptr ? "" : at.source->name()},
                    {"line", at.line},
                    {"column", at.line == 0 ? 0 : at.CharacterColumn()},
                    {"message", diagnostic.message},
                    {"hint", diagnostic.hint}});
  }
  const nlohmann::ordered_json json = {{"schemaVersion", 1},
                                       {"errors", diagnostics.count()},
                                       {"warnings", diagnostics.warnings()},
                                       {"diagnostics", list}};
  std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void PrintDropIns(const std::vector<DropIn>& drop_ins) {
  for (const DropIn& drop_in : drop_ins) {
    std::cout << drop_in.path << (drop_in.is_mask ? ": a mask" : "") << "\n";
    for (const std::string& hidden : drop_in.hidden) std::cout << "  hides " << hidden << "\n";
  }
}

// What somebody who wrote a first policy does next.
void PrintNextSteps(const LintOptions& options, const PolicySet& set) {
  if (options.paths.size() != 1 || set.policies.size() != 1) return;
  const std::vector<std::string>& binaries = set.policies[0].spec.selector.match_binaries;
  if (binaries.empty()) return;
  const std::string policy = absl::StrCat(" --policy ", options.paths[0]);
  const std::string run = absl::StrCat("pagewarden run", policy, " -- ", binaries[0]);
  std::cout << "next, with the program's own arguments:\n"
            << "  pagewarden policy explain" << policy << " --exe " << binaries[0] << "\n"
            << "  " << run << "\n"
            << "  pagewarden verify --secret KEY.pem -- " << run << "\n";
}

void Load(const LintOptions& options, PolicySet& set, Diagnostics& diagnostics) {
  for (const std::string& path : options.paths) LoadPath(path, set, diagnostics);
  if (!options.paths.empty()) return;
  const std::vector<std::string> directories =
      options.directories.empty() ? DefaultPolicyDirectories() : options.directories;
  if (!options.json) PrintDropIns(ListDropIns(directories, diagnostics));
  LoadDropIns(directories, set, diagnostics);
}

int RunLint(const LintOptions& options) {
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) return PolicyFail(kExitPartialData, locations.status().message());
  PolicySet set;
  Diagnostics diagnostics;
  LoadPath(absl::StrCat(locations->policies, "/presets"), set, diagnostics);
  const size_t shipped = set.presets.size();
  Load(options, set, diagnostics);
  ResolveReferences(set, diagnostics);
  if (diagnostics.empty()) LintPolicies(set, ReadHostIdentity().today, diagnostics);
  const bool clean = diagnostics.empty() && (!options.strict || diagnostics.warnings() == 0);
  if (options.json) {
    PrintJson(diagnostics);
    return clean ? kExitClean : kExitInvalidPolicy;
  }
  if (!diagnostics.empty()) return FailWithDiagnostics(diagnostics);
  std::cerr << diagnostics.Render();
  std::cout << Summary(set, set.presets.size() - shipped, diagnostics) << "\n";
  PrintNextSteps(options, set);
  return clean ? kExitClean : kExitInvalidPolicy;
}

}  // namespace

void AddPolicyLint(CLI::App& group, int& exit_code) {
  const auto options = std::make_shared<LintOptions>();
  CLI::App* lint = AddPolicySubcommand(group, "lint", "Check policies", kHelp);
  CLI::Option* files = lint->add_option("file", options->paths);
  lint->add_option("--policy-dir", options->directories)->allow_extra_args(false)->excludes(files);
  lint->add_flag("--strict", options->strict);
  lint->add_flag("--json", options->json);
  lint->callback([options, &exit_code] { exit_code = RunLint(*options); });
}

}  // namespace pagewarden
