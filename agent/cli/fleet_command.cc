// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/cli/fleet_server.h"
#include "agent/fleet/ask_fleet.h"
#include "agent/fleet/fleet_formats.h"

namespace pagewarden {
namespace {

constexpr char kFleetHelp[] = R"(Ask Prometheus about all hosts at once.

Usage:
  pagewarden fleet status --prometheus URL   which hosts and cgroups need attention

Help: pagewarden fleet status --help
)";

constexpr char kHelp[] =
    R"(Tell which hosts and cgroups of a fleet need attention, how far policies are rolled out, and what
limit each service needs. Asks a server that speaks Prometheus' HTTP API (Prometheus, Thanos,
Mimir) and scrapes the agents.

Examples:
  pagewarden fleet status --prometheus http://prometheus:9090
  pagewarden fleet status --prometheus https://thanos/ --matcher 'job="pagewarden",cluster="eu"'
  pagewarden fleet status --prometheus http://prometheus:9090 --recommend drop-ins/
  pagewarden fleet status --prometheus https://mimir/prometheus --token-file token \
      --header 'X-Scope-OrgID: team'

Usage:
  pagewarden fleet status --prometheus URL [OPTIONS]

Options:
  --prometheus URL      where the server is, with its path prefix if it has one
  --matcher MATCHERS    which targets are agents (default: job="pagewarden"), as in PromQL, without
                        the braces
  --window DURATION     how far back events count, like 90s or 1h (default: as the alert rules
                        do, 10m for most)
  --recommend DIR       write a systemd drop-in with LimitMEMLOCK for each service that locks
                        memory: DIR/UNIT.d/50-pagewarden-memlock.conf
  --token-file FILE     send the bearer token in FILE
  --basic-auth-file FILE  send the USER:PASSWORD in FILE
  --header 'NAME: VALUE'  send a header, such as a tenant's; may be given several times
  --timeout SECONDS     for each query (default: 10)
  --all                 every problem; else the 50 most severe
  --json                print JSON, with everything
  -h, --help            print this help

An https server must have a certificate that the system trusts; SSL_CERT_FILE names others.
Exit codes: 0 nothing needs attention, 1 something does, 2 usage, 4 nothing that the server told
does, but it could not tell all, or it knows no agent, 5 the server cannot be asked.
)";

constexpr size_t kMostProblems = 50;

struct StatusOptions {
  FleetOptions fleet;
  FleetServerOptions server;
  std::string recommend;
  bool all = false;
  bool json = false;
};

int Fail(int exit_code, absl::string_view message) {
  std::cerr << "pagewarden: fleet status : " << message << "\n";
  return exit_code;
}

int FailWith(const absl::Status& status) {
  if (absl::IsInvalidArgument(status)) return Fail(kExitUsage, status.message());
  if (absl::IsNotFound(status)) return Fail(kExitPartialData, status.message());
  return Fail(kExitUnreachable, status.message());
}

// Of those, the ones whose hosts do not all have it.
std::vector<UnitLimit> TooLow(std::vector<UnitLimit> limits) {
  const auto enough = [](const UnitLimit& limit) {
    return !limit.lowest_limit_bytes || *limit.lowest_limit_bytes >= limit.recommended_bytes;
  };
  limits.erase(std::remove_if(limits.begin(), limits.end(), enough), limits.end());
  return limits;
}

bool WriteDropIns(const StatusOptions& options, const std::vector<UnitLimit>& limits) {
  for (const UnitLimit& limit : limits) {
    const auto path = WriteDropIn(options.recommend, limit, options.server.url);
    if (!path.ok()) {
      Fail(kExitPartialData, path.status().message());
      return false;
    }
  }
  std::cerr << "pagewarden: " << limits.size() << " drop-ins : written to "
            << Printable(options.recommend) << "\n";
  return true;
}

void PrintTables(const StatusOptions& options, const FleetReport& report,
                 const std::vector<UnitLimit>& limits) {
  std::cout << FormatFleetTable(report, options.all ? 0 : kMostProblems);
  const bool every = !options.recommend.empty();
  const std::string table = FormatUnitLimits(every ? limits : TooLow(limits));
  if (!table.empty()) {
    std::cout << "\n"
              << (every ? "Limits that services need:\n"
                        : "Services whose limit is too low (--recommend writes drop-ins):\n")
              << table;
  }
}

int Report(const StatusOptions& options, const FleetServer& server, FleetData data) {
  std::vector<UnitLimit> limits;
  const auto answer = AskServer(server, LimitsQuestion(options.fleet), data.time);
  if (answer.ok()) {
    limits = UnitLimitsOf(answer->samples);
  } else {
    data.warnings.push_back(absl::StrCat("limits: ", answer.status().message()));
  }
  FleetReport report = BuildFleetReport(data.answers, options.fleet);
  report.partial = !data.warnings.empty();
  if (options.json) {
    std::cout << FormatFleetJson(report, limits,
                                 {options.server.url, data.time, options.fleet, data.warnings});
  } else {
    PrintTables(options, report, limits);
  }
  std::cout.flush();
  for (const std::string& warning : data.warnings) {
    std::cerr << "pagewarden: partial answer : " << warning << "\n";
  }
  const bool written = options.recommend.empty() || WriteDropIns(options, limits);
  if (!std::cout) return Fail(kExitPartialData, "cannot write the report: output error");
  if (!report.rows.empty()) return kExitFindings;
  return data.warnings.empty() && written ? kExitClean : kExitPartialData;
}

int RunStatus(const StatusOptions& options) {
  if (options.fleet.matcher.empty()) {
    return Fail(kExitUsage, "--matcher: at least one is needed, like job=\"pagewarden\"");
  }
  if (options.fleet.window && !IsPromDuration(*options.fleet.window)) {
    return Fail(kExitUsage, "--window: a duration like 90s, 10m or 1h is needed");
  }
  const absl::StatusOr<FleetServer> server = FleetServerOf(options.server);
  if (!server.ok()) return Fail(kExitUsage, server.status().message());
  absl::StatusOr<FleetData> data = AskFleet(*server, options.fleet);
  if (!data.ok()) return FailWith(data.status());
  return Report(options, *server, *std::move(data));
}

void AddStatus(CLI::App& fleet, int& exit_code) {
  const auto options = std::make_shared<StatusOptions>();
  CLI::App* status = fleet.add_subcommand("status", "Which hosts and cgroups need attention");
  status->formatter_fn(
      [](const CLI::App*, const std::string&, CLI::AppFormatMode) { return std::string(kHelp); });
  status->add_option("--prometheus", options->server.url)->required();
  status->add_option("--matcher", options->fleet.matcher);
  status->add_option_function<std::string>(
      "--window", [options](const std::string& window) { options->fleet.window = window; });
  status->add_option("--recommend", options->recommend);
  status->add_option("--token-file", options->server.token_file);
  status->add_option("--basic-auth-file", options->server.basic_auth_file)
      ->excludes("--token-file");
  status->add_option("--header", options->server.headers)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  status->add_option("--timeout", options->server.timeout_seconds)->check(CLI::Range(0.1, 600.0));
  status->add_flag("--all", options->all);
  status->add_flag("--json", options->json);
  status->callback([options, &exit_code] { exit_code = RunStatus(*options); });
}

}  // namespace

void AddFleetCommand(CLI::App& app, int& exit_code) {
  CLI::App* fleet = app.add_subcommand("fleet", "Ask Prometheus about all hosts at once");
  fleet->formatter_fn([](const CLI::App*, const std::string&, CLI::AppFormatMode) {
    return std::string(kFleetHelp);
  });
  fleet->require_subcommand(1);
  AddStatus(*fleet, exit_code);
}

}  // namespace pagewarden
