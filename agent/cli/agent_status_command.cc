// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/agent_commands.h"
#include "agent/daemon/agent_options.h"
#include "agent/daemon/status_text.h"
#include "agent/http/client.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] =
    R"(What the running agent knows: policies, the last reload, coverage, budgets, hooks, rights.

Examples:
  pagewarden agent status
  pagewarden agent status --json | jq .coverage

Usage:
  pagewarden agent status [--json] [--socket PATH]

Options:
  --json         print JSON
  --socket PATH  of the agent (root: /run/pagewarden/agent.sock)
  -h, --help     print this help

Exit codes: 0 the agent answers, 1 its last reload failed, 2 usage, 5 no agent answers.
)";

constexpr absl::Duration kPatience = absl::Seconds(5);

struct StatusOptions {
  std::string socket;
  bool json = false;
};

int RunStatus(const StatusOptions& options) {
  const auto status = AskAgent(options.socket, "/v1/status");
  if (!status.ok()) {
    std::cerr << "pagewarden: " << status.status().message() << "\n";
    return kExitUnreachable;
  }
  if (options.json) {
    std::cout << status->dump(2) << "\n";
  } else {
    std::cout << StatusText(*status);
  }
  return LastReloadIsGood(*status) ? kExitClean : kExitFindings;
}

// What connect(2) met there, which the HTTP library does not tell.
std::string WhyNobody(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? "there is no such socket: is `pagewarden agent` running?"
                           : strerror(errno);
  }
  if (access(path.c_str(), W_OK) != 0) return strerror(errno);
  return "nobody listens there: has the agent ended?";
}

}  // namespace

absl::StatusOr<nlohmann::ordered_json> AskAgent(const std::string& socket,
                                                const std::string& target) {
  const std::string path = socket.empty() ? SocketIn(DefaultRuntimeDir()) : socket;
  const auto response = Get(path, target, kPatience);
  if (!response.ok()) {
    const bool nobody = absl::IsUnavailable(response.status());
    return absl::UnavailableError(
        absl::StrCat("no agent answers at ", path, " : ",
                     nobody ? WhyNobody(path) : std::string(response.status().message())));
  }
  auto json = nlohmann::ordered_json::parse(response->body, nullptr, /*allow_exceptions=*/false);
  if (response->status != 200 || json.is_discarded() || !json.is_object()) {
    return absl::UnavailableError(
        absl::StrCat("no agent answers at ", path, " : status ", response->status));
  }
  return json;
}

void AddAgentStatus(CLI::App& group, int& exit_code) {
  CLI::App* const status = group.add_subcommand("status", "What the running agent knows");
  const auto options = std::make_shared<StatusOptions>();
  status->formatter_fn(
      [](const CLI::App*, const std::string&, CLI::AppFormatMode) { return kHelp; });
  status->add_flag("--json", options->json);
  status->add_option("--socket", options->socket);
  status->callback([options, &exit_code] { exit_code = RunStatus(*options); });
}

}  // namespace pagewarden
