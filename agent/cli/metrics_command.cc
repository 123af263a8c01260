// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/metrics/reference.h"

namespace pagewarden {
namespace {

struct MetricsListOptions {
  bool json = false;
  bool markdown = false;
};

void PrintMetrics(const MetricsListOptions& options) {
  if (options.json) {
    std::cout << MetricsJson();
  } else if (options.markdown) {
    std::cout << MetricsMarkdown();
  } else {
    std::cout << MetricsPlain();
  }
}

}  // namespace

void AddMetricsCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<MetricsListOptions>();
  CLI::App* const command =
      app.add_subcommand("metrics", "List the metrics that the agent exports (not their values)");
  CLI::Option* const json = command->add_flag("--json", options->json, "With their meaning");
  command->add_flag("--markdown", options->markdown, "The table of docs/metrics.md")
      ->excludes(json);
  command->footer(
      "Values: curl http://127.0.0.1:9876/metrics, or pagewarden audit --format=prometheus.\n"
      "Exit: 0 printed, 2 usage.");
  command->callback([options, &exit_code] {
    PrintMetrics(*options);
    exit_code = kExitClean;
  });
}

}  // namespace pagewarden
