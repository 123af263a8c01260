// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/agent_loop.h"

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/base/call_within.h"
#include "agent/base/files.h"
#include "agent/base/steady_now.h"
#include "agent/daemon/agent_view.h"
#include "agent/daemon/bounded_writer.h"
#include "agent/daemon/event_teller.h"
#include "agent/daemon/host_observer.h"
#include "agent/daemon/routes.h"
#include "agent/daemon/runtime_lock.h"
#include "agent/daemon/service_manager.h"
#include "agent/daemon/signal_queue.h"
#include "agent/http/server.h"
#include "agent/policy/runtime_directory.h"

namespace pagewarden {
namespace {

// How late a signal or a changed file may be noticed.
constexpr absl::Duration kLongestWait = absl::Milliseconds(100);

// Now and then an audit needs a row of every process; what it took goes back to the system.
constexpr absl::Duration kBetweenTrims = absl::Seconds(10);

// Threads that only answer requests need no heaps of their own.
constexpr int kMostHeaps = 2;

// What is not taken is left out: it is in the status and the events as well.
void Say(absl::string_view message) {
  static BoundedWriter* const writer = new BoundedWriter(STDERR_FILENO);
  writer->Write(absl::StrCat("pagewarden: ", message, "\n"));
}

void SayPrivileges(const AgentPrivileges& privileges) {
  for (const std::string& name : privileges.missing) {
    Say(absl::StrCat(name, " is missing : ", LossWithout(name)));
  }
}

void SayReload(const PolicyStatus& policies) {
  if (policies.last_reload_ok) {
    Say(absl::StrCat("policies : ", policies.loaded.size(), " in force, set ", policies.hash));
    return;
  }
  for (const std::string& error : policies.errors) Say(absl::StrCat("policy : ", error));
  Say(absl::StrCat("policies : not taken, set ", policies.hash.empty() ? "(none)" : policies.hash,
                   " stays in force"));
}

std::string StatusLine(const AgentView& view) {
  size_t uncovered = 0;
  for (const CoveredProcess& process : view.host.coverage.processes) {
    uncovered += process.state == CoverageState::kUncovered;
  }
  return absl::StrCat(view.host.policies.loaded.size(), " policies, set ", view.host.policies.hash,
                      view.host.policies.last_reload_ok ? "" : " (last reload failed)", ", ",
                      uncovered, " uncovered");
}

// What may be mended while the agent runs.
void AddStanding(absl::string_view what, const std::string& problem,
                 std::vector<std::string>& gaps) {
  if (!problem.empty()) gaps.push_back(absl::StrCat(what, " are not kept : ", problem));
}

std::string StatusLineOf(const std::shared_ptr<const AgentView>& view) {
  return view == nullptr ? "no audit yet" : StatusLine(*view);
}

}  // namespace

struct AgentLoop::Parts {
  explicit Parts(const AgentOptions& the_options) : options(the_options) {}

  absl::Status OpenDirectories();
  absl::Status OpenObserver();
  absl::Status Listen();
  // An audit and what follows from it.
  void Tick();
  void TickIfDue();
  void TellGaps();
  void HandleSignals();
  void Wait();

  AgentOptions options;
  AgentFacts facts;
  std::optional<SignalQueue> signals;
  std::optional<RuntimeLock> lock;
  ServiceManager service;
  std::unique_ptr<EventTeller> events;
  std::unique_ptr<HostObserver> observer;
  ViewBoard board;
  std::optional<Exposition> metrics;
  std::optional<AgentRoutes> routes;
  std::optional<HttpServer> server;
  absl::Time next_audit = absl::InfinitePast();  // by the steady clock
  absl::Time next_trim = absl::InfinitePast();   // likewise
  bool audit_failed = false;
  bool stop = false;
};

absl::Status AgentLoop::Parts::OpenDirectories() {
  const auto runtime = OwnedDirectory::Open(options.runtime_dir);
  if (!runtime.ok()) return runtime.status();
  auto taken = RuntimeLock::Take(options.runtime_dir, options.max_mode);
  if (!taken.ok()) return taken.status();
  lock = *std::move(taken);
  std::error_code ignored;  // what is still missing is told by who opens it
  std::filesystem::create_directories(std::filesystem::path(options.state_dir).parent_path(),
                                      ignored);
  const auto state = OwnedDirectory::Open(options.state_dir, /*is_private=*/true);
  if (!state.ok()) return state.status();
  auto opened = EventTeller::Open(options.state_dir);
  if (!opened.ok()) return opened.status();
  events = *std::move(opened);
  return absl::OkStatus();
}

absl::Status AgentLoop::Parts::OpenObserver() {
  auto opened = HostObserver::Open(options);
  if (!opened.ok()) return opened.status();
  observer = *std::move(opened);
  // Threads keep the rights that they were started with: none is there before.
  EndCallThread();
  auto privileges = DropPrivileges();
  if (!privileges.ok()) return privileges.status();
  facts.privileges = *std::move(privileges);
  SayPrivileges(facts.privileges);
  return observer->Begin(options);
}

absl::Status AgentLoop::Parts::Listen() {
  metrics.emplace(MetricsOptions{options.max_cgroups, absl::StrCat(options.state_dir, "/folded"),
                                 options.cgroup_labels});
  routes.emplace(board, events->log(), *metrics);
  auto started = HttpServer::Start({options.listen, options.socket_path},
                                   [this](const HttpRequest& r) { return routes->Answer(r); });
  if (!started.ok()) return started.status();
  // For a group that the operator gives it to; the directory lets anyone pass.
  if (!options.socket_path.empty() && chmod(options.socket_path.c_str(), 0660) != 0) {
    return ErrnoStatus(errno, options.socket_path);
  }
  server.emplace(*std::move(started));
  return absl::OkStatus();
}

void AgentLoop::Parts::TellGaps() {
  for (const std::string& gap : observer->TakeGaps()) {
    Say(gap);
    facts.gaps.push_back(gap);
  }
  for (const auto& problems : {observer->TakeProblems(), events->TakeProblems()}) {
    for (const std::string& problem : problems) Say(problem);
  }
}

void AgentLoop::Parts::Tick() {
  auto view = observer->Observe(absl::Now());
  TellGaps();
  if (!view.ok()) {
    if (!std::exchange(audit_failed, true)) {
      Say(absl::StrCat("cannot audit : ", view.status().message()));
    }
    return;
  }
  audit_failed = false;
  events->AddChanges(*view);
  events->Flush(absl::Now());
  auto next = std::make_shared<AgentView>();
  next->host = *std::move(view);
  next->host.health.events_lost["log"] = events->log().lost();
  facts.hooks = observer->hooks();
  facts.policy_warnings = observer->keeper().warnings();
  facts.last_event = events->log().last_sequence();
  next->agent = facts;
  AddStanding("events", events->log().problem(), next->agent.gaps);
  AddStanding("books", observer->book_problem(), next->agent.gaps);
  const absl::Time now = SteadyNow();
  next->audited = now;
  service.Status(StatusLine(*next));
  board.Publish(std::move(next));
  service.Alive(now);
  if (now < next_trim) return;
  next_trim = now + kBetweenTrims;
  malloc_trim(0);
}

// Those that follow a reload come besides, and put none off.
void AgentLoop::Parts::TickIfDue() {
  const absl::Time now = SteadyNow();
  if (now < next_audit) return;
  next_audit = std::max(next_audit + options.interval, now);
  Tick();
}

void AgentLoop::Parts::HandleSignals() {
  const PendingSignals pending = signals->Take();
  stop |= pending.stop;
  bool reloaded = false;
  if (pending.reload) {
    service.Reloading();
    observer->keeper().Reload(absl::Now());
    reloaded = true;
  } else {
    reloaded = observer->keeper().Poll(absl::Now());
  }
  if (!reloaded) return;
  SayReload(observer->keeper().status());
  Tick();  // what it comes to is to be seen at once
  if (pending.reload) service.Ready(StatusLineOf(board.Latest()));
}

void AgentLoop::Parts::Wait() {
  const absl::Duration left =
      std::min(next_audit - SteadyNow(), observer->keeper().Deadline() - absl::Now());
  const absl::Duration wait =
      std::max(absl::ZeroDuration(), std::min({left, kLongestWait, options.interval}));
  for (const WatchEvent& event : observer->Wait(wait)) events->Add(event);
  events->Flush(absl::Now());
}

AgentLoop::AgentLoop(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
AgentLoop::~AgentLoop() = default;

absl::StatusOr<std::unique_ptr<AgentLoop>> AgentLoop::Start(const AgentOptions& options) {
  mallopt(M_ARENA_MAX, kMostHeaps);
  auto parts = std::make_unique<Parts>(options);
  auto signals = SignalQueue::Open();
  if (!signals.ok()) return signals.status();
  parts->signals.emplace(*std::move(signals));
  parts->facts.pid = getpid();
  parts->facts.interval = options.interval;
  parts->facts.cgroup = options.cgroup;
  parts->facts.policy_dirs = options.policy_dirs;
  parts->facts.presets = absl::StrCat(options.shipped, "/presets");
  for (auto step : {&Parts::OpenDirectories, &Parts::OpenObserver}) {
    if (absl::Status status = (*parts.*step)(); !status.ok()) return status;
  }
  SayReload(parts->observer->keeper().status());
  parts->TellGaps();
  // Last of what can fail: an agent that has told of its start runs.
  if (absl::Status status = parts->Listen(); !status.ok()) return status;
  parts->events->AddStart(parts->facts.privileges, parts->facts.gaps);
  parts->TickIfDue();
  return std::unique_ptr<AgentLoop>(new AgentLoop(std::move(parts)));
}

void AgentLoop::Run() {
  Parts& parts = *parts_;
  parts.service.Ready(StatusLineOf(parts.board.Latest()));
  while (!parts.stop) {
    parts.Wait();
    parts.HandleSignals();
    if (!parts.stop) parts.TickIfDue();
  }
  parts.service.Stopping();
  parts.server->Stop();
  parts.observer->Save();
  parts.events->AddStop();
  parts.events->Flush(absl::Now(), /*all=*/true);
}

}  // namespace pagewarden
