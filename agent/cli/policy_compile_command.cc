// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/policy_commands.h"
#include "agent/policy/image.h"
#include "agent/policy/live_images.h"
#include "agent/policy/load.h"
#include "agent/policy/publish.h"
#include "agent/policy/resolve.h"
#include "agent/run/choose_policies.h"
#include "agent/run/environment.h"
#include "agent/run/image_policies.h"
#include "agent/run/locations.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] =
    R"(Compile policies for the shim, for programs that `pagewarden run` does not start.

Example:
  pagewarden policy compile team.yaml -o /etc/pagewarden/compiled
  # it prints the variables that the program needs, for Environment= of its unit

Usage:
  pagewarden policy compile FILE-OR-DIR... -o DIRECTORY [--live]

Options:
  -o, --output DIRECTORY   made if it is missing; only its owner may write to it. Files go to
                           images/HASH below it, the hash being that of their contents
  --live                   into DIRECTORY itself, as an image that running programs follow:
                           compile again, and they take the new policies without a restart
  -h, --help               print this help

A compiled image is for all cgroups of this host: executables, units, slices, cgroups and the
exceptions that name them are looked at when a program starts. Rollout and the end of exceptions
are decided now; policies for pods or namespaces are left out. What is printed is for a unit's
Environment=. Exit codes: 0 compiled, 2 usage, 3 invalid policy, 4 cannot be written.
)";

struct CompileOptions {
  std::vector<std::string> paths;
  std::string output;
  bool live = false;
};

absl::StatusOr<PublishedPolicy> Write(const CompileOptions& options, const Locations& locations,
                                      const PolicySet& set,
                                      const std::vector<AllocationPolicy>& policies) {
  absl::StatusOr<OwnedDirectory> output =
      OwnedDirectory::Open(std::filesystem::absolute(options.output).lexically_normal());
  if (!output.ok()) return output.status();
  if (!options.live) return PublishPolicies(policies, locations.shim, *output);
  auto images = LiveImages::Open(*std::move(output), locations.shim, PresetFunctions(set.presets));
  if (!images.ok()) return images.status();
  const absl::StatusOr<LiveImage> image = images->Publish("", policies);
  if (!image.ok()) return image.status();
  return PublishedPolicy{image->image_path, image->scopes_path};
}

int Compile(const CompileOptions& options, const Locations& locations, const PolicySet& set) {
  const std::vector<AllocationPolicy> policies =
      ForImage(set.policies, Surroundings(), ReadHostIdentity());
  const absl::StatusOr<PublishedPolicy> published = Write(options, locations, set, policies);
  if (!published.ok()) return PolicyFail(kExitPartialData, published.status().message());
  for (const std::string& variable : ShimEnvironment({}, *published, locations.shim, {})) {
    std::cout << variable << "\n";
  }
  std::cerr << "pagewarden: compiled " << policies.size() << " of " << set.policies.size()
            << (set.policies.size() == 1 ? " policy" : " policies") << ", "
            << FunctionTable(policies).size() << " functions\n";
  return kExitClean;
}

int RunCompile(const CompileOptions& options) {
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) return PolicyFail(kExitPartialData, locations.status().message());
  PolicyChoice choice;
  choice.paths = options.paths;
  Diagnostics diagnostics;
  const PolicySet set = LoadChosen(choice, Program{}, locations->policies, diagnostics);
  if (!diagnostics.empty()) return FailWithDiagnostics(diagnostics);
  return Compile(options, *locations, set);
}

}  // namespace

void AddPolicyCompile(CLI::App& group, int& exit_code) {
  const auto options = std::make_shared<CompileOptions>();
  CLI::App* compile = AddPolicySubcommand(group, "compile", "Policies for the shim", kHelp);
  compile->add_option("file", options->paths)->required();
  compile->add_option("-o,--output", options->output)->required();
  compile->add_flag("--live", options->live);
  compile->callback([options, &exit_code] { exit_code = RunCompile(*options); });
}

}  // namespace pagewarden
