// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/watched_run.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/learn/recording_file.h"
#include "agent/learn/signatures.h"
#include "agent/learn/workload.h"
#include "agent/policy/publish.h"
#include "agent/proc/mappings.h"
#include "agent/proc/status.h"
#include "agent/proof/supervised_command.h"
#include "agent/run/environment.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {
namespace {

// The program's variables: ours, with the recorder behind the shim.
std::vector<std::string> Environment(const PublishedPolicy& published, const Locations& locations,
                                     const RecordingFile& recording,
                                     const std::vector<AllocationPolicy>& policies) {
  std::vector<std::string> current;
  std::string preload = absl::StrCat("LD_PRELOAD=", locations.recorder);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const absl::string_view text = *variable;
    if (absl::StartsWith(text, "LD_PRELOAD=")) {
      absl::StrAppend(&preload, ":", text.substr(text.find('=') + 1));
    } else {
      current.emplace_back(text);
    }
  }
  current.push_back(preload);
  current.push_back(absl::StrCat(recording::kVariable, "=", recording.path()));
  std::map<std::string, std::string> of_policy;
  for (const AllocationPolicy& policy : policies) {
    of_policy.insert(policy.spec.environment.begin(), policy.spec.environment.end());
  }
  return ShimEnvironment(current, published, locations.shim, of_policy);
}

using CountsByPid = std::map<pid_t, AllocationCount>;

// nullopt: the process is gone, or the shim is not in it.
std::optional<ShimState> ReadShim(pid_t pid) {
  const auto mappings = ReadMappingsWithoutFlags(pid);
  if (!mappings.ok()) return std::nullopt;
  auto shim = ReadShimState(pid, *mappings);
  return shim.ok() ? *std::move(shim) : std::nullopt;
}

AllocationCount CountOf(pid_t pid, const ShimState& shim, const RecordingFile& recording) {
  AllocationCount count;
  for (const ShimTag& tag : shim.tags) count.moved += tag.total_allocations;
  const auto row = recording.ProcessOf(pid);
  if (row.has_value()) count.passed = row->allocations;
  return count;
}

CountsByPid CountAll(const std::vector<pid_t>& pids, const RecordingFile& recording) {
  CountsByPid counts;
  for (const pid_t pid : pids) {
    const auto shim = ReadShim(pid);
    if (shim.has_value()) counts[pid] = CountOf(pid, *shim, recording);
  }
  return counts;
}

class FigureReader {
 public:
  FigureReader(const RecordingFile& recording, const CountsByPid& before)
      : recording_(recording), before_(before) {}

  void Add(const VerifiedProcess& process) {
    const std::string exe = ReadExe(process.pid);
    if (exe.empty()) return;  // it has exited
    AddBinary(exe);
    const auto shim = ReadShim(process.pid);
    if (!shim.has_value()) return AddUncovered(process, "the shim is not loaded");
    if (!shim->active) return AddUncovered(process, shim->uncovered);
    AddCounts(process.pid, CountOf(process.pid, *shim, recording_));
    for (const ShimTag& tag : shim->tags) {
      if (tag.is_rule) figures_.fenced_by_rule[tag.name] += tag.total_allocations;
    }
    uint64_t peak = 0;
    for (const ShimArena& arena : shim->arenas) peak += arena.peak_page_bytes;
    figures_.peak_arena_bytes = std::max(figures_.peak_arena_bytes, peak);
  }

  RunFigures Finish() { return std::move(figures_); }

 private:
  static constexpr int kMaxGenerations = 16;

  void AddBinary(const std::string& path) {
    std::vector<std::string>& binaries = figures_.binaries;
    if (std::find(binaries.begin(), binaries.end(), path) == binaries.end()) {
      binaries.push_back(path);
    }
  }

  void AddUncovered(const VerifiedProcess& process, const std::string& why) {
    figures_.uncovered.push_back(
        absl::StrCat("process ", process.pid, " (", process.comm,
                     ") is not covered: ", why.empty() ? "no policy selects it" : why));
  }

  void AddCounts(pid_t pid, const AllocationCount& now) {
    const AllocationCount then = Before(pid);
    figures_.all.moved += now.moved;
    figures_.all.passed += now.passed;
    figures_.in_workload.moved += now.moved - std::min(then.moved, now.moved);
    figures_.in_workload.passed += now.passed - std::min(then.passed, now.passed);
  }

  // What the process, or who forked it, had counted before the workload.
  AllocationCount Before(pid_t pid) const {
    for (int generation = 0; pid != 0 && generation < kMaxGenerations; ++generation) {
      const auto known = before_.find(pid);
      if (known != before_.end()) return known->second;
      const auto row = recording_.ProcessOf(pid);
      pid = row.has_value() ? row->parent : 0;
    }
    return {};
  }

  const RecordingFile& recording_;
  const CountsByPid& before_;
  RunFigures figures_;
};

// The program's processes, without those of the workload.
absl::StatusOr<std::vector<pid_t>> ProcessesOf(const SupervisedCommand& command, pid_t workload) {
  auto processes = command.Processes();
  if (!processes.ok() || workload == 0) return processes;
  processes->erase(std::remove_if(processes->begin(), processes->end(),
                                  [&](pid_t pid) { return getpgid(pid) == workload; }),
                   processes->end());
  return processes;
}

absl::Status Settle(SupervisedCommand& command, absl::Duration time) {
  const int signal = command.Settle(time);
  if (signal == 0) return absl::OkStatus();
  return InterruptedBy(signal);
}

absl::Status CheckAlive(SupervisedCommand& command, pid_t workload, const std::string& name) {
  command.Settle(absl::Milliseconds(10));  // notices what has ended
  const auto processes = ProcessesOf(command, workload);
  if (processes.ok() && !processes->empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(name, " ", command.Ending().value_or("ended"),
                   " before its memory was searched: learn needs a program that stays"));
}

// Of a program that is gone, a workload's failure is only the consequence.
absl::Status RunWorkloadBeside(SupervisedCommand& command, const WatchedProgram& program,
                               pid_t& group) {
  absl::Status worked;
  if (!program.workload.empty()) worked = RunWorkload(program.workload, group);
  if (absl::IsCancelled(worked)) return worked;
  const absl::Status alive = CheckAlive(command, group, program.command.front());
  return alive.ok() ? worked : alive;
}

}  // namespace

double AllocationCount::MovedShare() const {
  const double all = static_cast<double>(moved) + static_cast<double>(passed);
  return all == 0 ? 0 : static_cast<double>(moved) / all;
}

absl::StatusOr<WatchedRun> RunWatched(const WatchedProgram& program,
                                      const std::vector<AllocationPolicy>& policies,
                                      const NeedleSet& needles, recording::Mode mode) {
  const auto runtime = OpenRuntimeDirectory();
  if (!runtime.ok()) return runtime.status();
  const auto published = PublishPolicies(policies, program.locations.shim, *runtime);
  if (!published.ok()) return published.status();
  const auto recording = RecordingFile::Create(*runtime, needles, mode);
  if (!recording.ok()) return recording.status();
  const std::vector<std::string> environment =
      Environment(*published, program.locations, **recording, policies);
  const auto command = SupervisedCommand::Start(program.command, &environment);
  if (!command.ok()) return command.status();
  if (absl::Status status = Settle(**command, program.settle); !status.ok()) return status;

  pid_t workload = 0;
  const absl::Cleanup end_workload = [&] { EndWorkload(workload); };
  const auto list = [&] { return ProcessesOf(**command, workload); };
  const CountsByPid before = CountAll(list().value_or(std::vector<pid_t>()), **recording);
  const absl::Status worked = RunWorkloadBeside(**command, program, workload);
  if (!worked.ok()) return worked;
  auto result = Verify(list, needles, SearchOptions());
  if (!result.ok()) return result.status();

  WatchedRun run;
  FigureReader figures(**recording, before);
  for (const VerifiedProcess& process : result->processes) figures.Add(process);
  run.figures = figures.Finish();
  if (mode == recording::Mode::kRecord) {
    run.evidence = CollectEvidence(*result, **recording);
    run.stacks = (*recording)->Stacks();
    run.modules = (*recording)->Modules();
    run.allocations = (*recording)->lost();
    for (const recording::Stack& stack : run.stacks) run.allocations += AllocationsOf(stack);
  }
  run.result = *std::move(result);
  return run;
}

}  // namespace pagewarden
