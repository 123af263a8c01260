// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/base/exit_codes.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/cli/agent_commands.h"
#include "agent/cli/cgroup_option.h"
#include "agent/cli/commands.h"
#include "agent/daemon/agent_loop.h"
#include "agent/daemon/agent_options.h"
#include "agent/policy/directories.h"
#include "agent/policy/effective_mode.h"
#include "agent/policy/modes.h"
#include "agent/run/locations.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] =
    R"(Watch the host: keep policies in force while they change, audit locked memory, tell of events.

Examples:
  pagewarden agent                                  as the service does; SIGTERM ends it
  pagewarden agent --max-mode Audit                 nothing is moved, whatever the policies say
  pagewarden agent --policy-dir ./policy.d --no-listen
  pagewarden agent status                           what the running agent knows

Usage:
  pagewarden agent [OPTION]...
  pagewarden agent status [--json] [--socket PATH]

Options:
  --policy-dir DIR     policies of this directory; may be given several times, later ones hide
                       files of the same name. Without it: /usr/lib/pagewarden/policy.d,
                       /etc/pagewarden/policy.d, /run/pagewarden/policy.d
  --max-mode MODE      lower the mode of every policy to at most Disabled, Audit or Enforce; so
                       does the word in RUNTIME/mode
  --listen HOST:PORT   serve /metrics and /healthz there (127.0.0.1:9876)
  --no-listen          only on the Unix socket
  --socket PATH        the Unix socket (RUNTIME/agent.sock)
  --runtime-dir DIR    RUNTIME: images, lock, socket (root: /run/pagewarden)
  --state-dir DIR      peaks, counts and events that outlive the agent (root: /var/lib/pagewarden)
  --interval TIME      from one audit to the next: 1s, 500ms, 1m (1s)
  --verify-every TIME  from one check of the policies' secrets to the next (10m)
  --max-cgroups N      cgroups with metrics of their own; the rest is summed up (200)
  --metrics.labels=LIST
                       labels that cgroups' metrics have beside `cgroup`, where they are known:
                       namespace,pod,container (all), fewer of them, or none (--metrics.labels=)
  --cgroup PATH        report only this cgroup and those below it
  --trace-syscalls     see the result of every system call: slows every call down
  -h, --help           print this help

Policies that change are read again, all of them, and taken all or none; SIGHUP asks for it.
Exit codes: 0 asked to stop, 2 usage, 4 cannot work here, 5 another agent runs already.
)";

constexpr absl::Duration kShortestInterval = absl::Milliseconds(100);

// The words as they were written.
struct AgentWords {
  AgentOptions options;
  std::string max_mode;
  std::string interval = "1s";
  std::string verify_every = "10m";
  std::string labels = "namespace,pod,container";
  bool no_listen = false;
};

int Fail(int exit_code, absl::string_view message) {
  std::cerr << "pagewarden: " << message << "\n";
  return exit_code;
}

// "5", "0.5", "5s", "1m30s"; false: none of these.
bool ParseTime(const std::string& text, absl::Duration& time) {
  double seconds = 0;
  if (absl::SimpleAtod(text, &seconds)) {
    time = absl::Seconds(seconds);
    return true;
  }
  return absl::ParseDuration(text, &time);
}

// Empty: all is well.
std::string Complete(AgentWords& words) {
  AgentOptions& options = words.options;
  if (!ParseTime(words.interval, options.interval) || options.interval < kShortestInterval) {
    return absl::StrCat("--interval ", words.interval, " : not 100ms or more");
  }
  if (!ParseTime(words.verify_every, options.verify_every) ||
      options.verify_every < absl::Seconds(1)) {
    return absl::StrCat("--verify-every ", words.verify_every, " : not 1s or more");
  }
  const auto labels = ParseCgroupLabels(words.labels);
  if (!labels.ok()) return absl::StrCat("--metrics.labels : ", labels.status().message());
  options.cgroup_labels = *labels;
  if (words.no_listen) options.listen.clear();
  options.max_mode = ParseMode(words.max_mode);
  if (options.policy_dirs.empty()) options.policy_dirs = DefaultPolicyDirectories();
  for (std::string& directory : options.policy_dirs) {
    std::error_code error;
    directory = std::filesystem::absolute(directory, error).lexically_normal().string();
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  }
  if (options.runtime_dir.empty()) options.runtime_dir = DefaultRuntimeDir();
  if (options.state_dir.empty()) options.state_dir = DefaultStateDir();
  if (options.socket_path.empty()) options.socket_path = SocketIn(options.runtime_dir);
  const auto hierarchy = CgroupHierarchy::Find();
  return NormalizeCgroup(hierarchy.ok() ? &*hierarchy : nullptr, options.cgroup);
}

int ExitCodeOf(const absl::Status& status) {
  if (absl::IsAlreadyExists(status)) return kExitUnreachable;
  return absl::IsInvalidArgument(status) ? kExitUsage : kExitPartialData;
}

int RunAgent(AgentWords& words) {
  if (const std::string wrong = Complete(words); !wrong.empty()) return Fail(kExitUsage, wrong);
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) return Fail(kExitPartialData, locations.status().message());
  words.options.shim_path = locations->shim;
  words.options.shipped = locations->policies;
  const auto agent = AgentLoop::Start(words.options);
  if (agent.ok()) {
    (*agent)->Run();
    return kExitClean;
  }
  const int code = ExitCodeOf(agent.status());
  return Fail(code, absl::StrCat("cannot run the agent : ", agent.status().message()));
}

void AddOptions(CLI::App& agent, AgentWords& words) {
  AgentOptions& options = words.options;
  agent.add_option("--policy-dir", options.policy_dirs)->allow_extra_args(false);
  agent.add_option("--max-mode", words.max_mode)->check(CLI::IsMember(TextsOf<kModes>()));
  CLI::Option* const listen = agent.add_option("--listen", options.listen);
  agent.add_flag("--no-listen", words.no_listen)->excludes(listen);
  agent.add_option("--socket", options.socket_path);
  agent.add_option("--runtime-dir", options.runtime_dir);
  agent.add_option("--state-dir", options.state_dir);
  agent.add_option("--interval", words.interval);
  agent.add_option("--verify-every", words.verify_every);
  agent.add_option("--max-cgroups", options.max_cgroups)->check(CLI::Range(1, 100000));
  agent.add_option("--metrics.labels", words.labels)->expected(0, 1);  // "--metrics.labels="
  agent.add_option("--cgroup", options.cgroup);
  agent.add_flag("--trace-syscalls", options.trace_syscalls);
}

}  // namespace

void AddAgentCommand(CLI::App& app, int& exit_code) {
  CLI::App* const agent = app.add_subcommand("agent", "Watch the host, as a service");
  const auto words = std::make_shared<AgentWords>();
  words->options.listen = kDefaultListen;
  agent->formatter_fn(
      [](const CLI::App*, const std::string&, CLI::AppFormatMode) { return kHelp; });
  AddOptions(*agent, *words);
  AddAgentStatus(*agent, exit_code);
  agent->callback([agent, words, &exit_code] {
    if (agent->get_subcommands().empty()) exit_code = RunAgent(*words);
  });
}

}  // namespace pagewarden
