// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/agent_commands.h"
#include "agent/cli/audit_options.h"
#include "agent/cli/commands.h"
#include "agent/daemon/agent_options.h"
#include "agent/events/event_json.h"
#include "agent/events/event_query.h"
#include "agent/events/event_text.h"
#include "agent/http/client.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] =
    R"(What the running agent has seen happen on this host, the oldest first.

Examples:
  pagewarden events --since 10m
  pagewarden events --type denial --type budget --follow
  pagewarden events --json | jq 'select(.severity == "error")'

Usage:
  pagewarden events [OPTION]...

Options:
  --since TIME   nothing older: 10m, 36h, 2026-11-26T18:40:00+01:00; without it, all there is
  --type TYPE    only these; may be given several times: denial, bypass, guardHit, violation,
                 limitNear, budget, rlimit, uncovered, secret, reload, agent, lost
  -f, --follow   go on with what comes, until Ctrl-C; without --since, begin with the last ten
  --json         one JSON object a line (docs/events.md)
  --socket PATH  of the agent (root: /run/pagewarden/agent.sock)
  -h, --help     print this help

Exit codes: 0 all was shown, 2 usage, 4 output error, 5 no agent answers.
)";

constexpr absl::Duration kBetweenLooks = absl::Milliseconds(500);
// Of those that were there before, --follow shows the last few.
constexpr uint64_t kShownFirst = 10;

struct EventsOptions {
  std::string socket = SocketIn(DefaultRuntimeDir());
  std::string since;
  std::vector<std::string> types;
  bool follow = false;
  bool json = false;
};

class EventsReader {
 public:
  explicit EventsReader(const EventsOptions& options) : options_(options) {}

  int Run() {
    if (options_.follow && options_.since.empty() && !SkipOld()) return exit_code_;
    if (!ReadAll()) return exit_code_;
    while (options_.follow && std::cout) {
      absl::SleepFor(kBetweenLooks);
      if (!ReadAll()) return exit_code_;
    }
    return std::cout ? kExitClean : kExitPartialData;
  }

 private:
  // The time is of the start: what is new is newer.
  std::string Target(size_t limit) const {
    std::string target = absl::StrCat("/v1/events?after=", after_, "&limit=", limit);
    if (!options_.since.empty()) {
      absl::StrAppend(
          &target, "&since=",
          EncodeQuery(absl::FormatTime(absl::RFC3339_full, *ParseSince(options_.since, start_),
                                       absl::UTCTimeZone())));
    }
    if (!options_.types.empty()) {
      absl::StrAppend(&target, "&type=", EncodeQuery(absl::StrJoin(options_.types, ",")));
    }
    return target;
  }

  std::optional<EventsAnswer> Ask(size_t limit) {
    const auto json = AskAgent(options_.socket, Target(limit));
    auto answer = json.ok() ? ParseEventsAnswer(*json) : json.status();
    if (answer.ok()) return *std::move(answer);
    Complain(answer.status().message());
    exit_code_ = kExitUnreachable;
    return std::nullopt;
  }

  bool SkipOld() {
    const auto answer = Ask(0);
    if (!answer) return false;
    after_ = answer->last_sequence > kShownFirst ? answer->last_sequence - kShownFirst : 0;
    return true;
  }

  bool ReadAll() {
    for (;;) {
      const auto answer = Ask(1000);
      if (!answer) return false;
      Warn(*answer);
      for (const Event& event : answer->events) {
        std::cout << (options_.json ? EventLine(event) : EventLineForPeople(event) + "\n");
        after_ = event.sequence;
      }
      std::cout.flush();
      if (!answer->more || !std::cout) return true;
    }
  }

  // Each once.
  void Warn(const EventsAnswer& answer) {
    if (after_ > answer.last_sequence) {
      Complain("the agent's events begin anew : its state directory was emptied");
      after_ = 0;
    }
    if (answer.problem == problem_) return;
    problem_ = answer.problem;
    if (problem_.empty()) return;
    Complain(
        absl::StrCat("the agent cannot keep its events, a restart would forget them : ", problem_));
  }

  const EventsOptions& options_;
  const absl::Time start_ = absl::Now();
  uint64_t after_ = 0;
  std::string problem_;
  int exit_code_ = kExitClean;
};

std::string CheckSince(const std::string& text) {
  const auto time = ParseSince(text, absl::Now());
  return time.ok() ? "" : std::string(time.status().message());
}

}  // namespace

void AddEventsCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<EventsOptions>();
  CLI::App* const events =
      app.add_subcommand("events", "What the running agent has seen happen on this host");
  events->formatter_fn(
      [](const CLI::App*, const std::string&, CLI::AppFormatMode) { return kHelp; });
  events->add_option("--since", options->since)->check(CheckSince);
  events->add_option("--type", options->types)
      ->allow_extra_args(false)
      ->check(CLI::IsMember(EventTypes()));
  events->add_flag("-f,--follow", options->follow);
  events->add_flag("--json", options->json);
  events->add_option("--socket", options->socket);
  events->callback([options, &exit_code] { exit_code = EventsReader(*options).Run(); });
}

}  // namespace pagewarden
