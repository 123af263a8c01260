// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/watched_run.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/learn/recording_file.h"
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

class FigureReader {
 public:
  explicit FigureReader(const RecordingFile& recording) : recording_(recording) {}

  void Add(const VerifiedProcess& process) {
    const auto mappings = ReadMappingsWithoutFlags(process.pid);
    if (!mappings.ok()) return;  // it has exited
    const auto shim = ReadShimState(process.pid, *mappings);
    AddBinary(ReadExe(process.pid));
    if (!shim.ok() || !shim->has_value()) return AddUncovered(process, "the shim is not loaded");
    if (!(*shim)->active) return AddUncovered(process, (*shim)->uncovered);
    for (const ShimTag& tag : (*shim)->tags) {
      figures_.moved += tag.total_allocations;
      if (tag.is_rule) figures_.fenced_by_rule[tag.name] += tag.total_allocations;
    }
    uint64_t peak = 0;
    for (const ShimArena& arena : (*shim)->arenas) peak += arena.peak_page_bytes;
    figures_.peak_arena_bytes = std::max(figures_.peak_arena_bytes, peak);
    const auto recorded = recording_.ProcessOf(process.pid);
    if (recorded.has_value()) figures_.passed += recorded->allocations;
  }

  RunFigures Finish() { return std::move(figures_); }

 private:
  void AddBinary(const std::string& path) {
    std::vector<std::string>& binaries = figures_.binaries;
    if (path.empty() || std::find(binaries.begin(), binaries.end(), path) != binaries.end()) return;
    binaries.push_back(path);
  }

  void AddUncovered(const VerifiedProcess& process, const std::string& why) {
    figures_.uncovered.push_back(
        absl::StrCat("process ", process.pid, " (", process.comm,
                     ") is not covered: ", why.empty() ? "no policy selects it" : why));
  }

  const RecordingFile& recording_;
  RunFigures figures_;
};

// What settles before the workload, and what the workload says of itself.
absl::Status Work(const WatchedProgram& program, SupervisedCommand& command) {
  const int signal = command.Settle(program.settle);
  if (signal != 0) return absl::CancelledError(absl::StrCat("interrupted by signal ", signal));
  if (!program.workload.empty()) {
    if (absl::Status status = RunWorkload(program.workload); !status.ok()) return status;
    command.Settle(absl::Milliseconds(200));  // notices what has ended meanwhile
  }
  return absl::OkStatus();
}

absl::Status CheckAlive(const SupervisedCommand& command, const std::string& name) {
  const auto processes = command.Processes();
  if (processes.ok() && !processes->empty()) return absl::OkStatus();
  const auto ending = command.Ending();
  return absl::FailedPreconditionError(absl::StrCat(
      name, ending.has_value() ? absl::StrCat(" ", *ending) : " ended",
      " before its memory was searched: give a program that stays, in the foreground or not"));
}

}  // namespace

double RunFigures::MovedShare() const {
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
  auto command = SupervisedCommand::Start(program.command, &environment);
  if (!command.ok()) return command.status();
  if (absl::Status status = Work(program, **command); !status.ok()) {
    // Of a program that is gone, a workload's failure is only the consequence.
    const absl::Status alive = CheckAlive(**command, program.command.front());
    return absl::IsAborted(status) && !alive.ok() ? alive : status;
  }
  if (absl::Status status = CheckAlive(**command, program.command.front()); !status.ok()) {
    return status;
  }
  auto result = Verify([&] { return (*command)->Processes(); }, needles, SearchOptions());
  if (!result.ok()) return result.status();
  FigureReader figures(**recording);
  for (const VerifiedProcess& process : result->processes) figures.Add(process);
  WatchedRun run;
  run.figures = figures.Finish();
  if (mode == recording::Mode::kRecord) {
    run.evidence = CollectEvidence(*result, **recording);
    run.stacks = (*recording)->Stacks();
    run.modules = (*recording)->Modules();
    run.allocations = (*recording)->lost();
    for (const recording::Stack& stack : run.stacks) run.allocations += stack.allocations;
  }
  run.result = *std::move(result);
  (*command)->Stop();
  return run;
}

}  // namespace pagewarden
