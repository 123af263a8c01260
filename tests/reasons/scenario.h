// SPDX-License-Identifier: Apache-2.0
// One way to be refused memory to lock, or to get it although the limit says no: made
// for real, in a process of its own, with nothing but system calls.
//
//   ScenarioProcess process(scenario);
//   if (process.skip_reason().empty()) Outcome outcome = process.Go();
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pagewarden {

// What the call leaves for `attempt` that `prepare` has made.
struct Stage {
  void* address = nullptr;
  uint64_t bytes = 0;
  int fd = -1;
  long number = 0;
};

// How an attempt is seen: by the question for CAP_IPC_LOCK, at the return of the call's
// function, at that of the system call only (seccomp comes before the function), by a
// tracepoint of its own, or by the signal that it ends in.
enum class SeenBy { kQuestion, kResult, kSystemCall, kTracepoint, kSignal };

struct Scenario {
  const char* name;
  const char* call;
  int error;         // errno, 0: it succeeds
  int signal;        // that ends the process; 0: none
  const char* code;  // VerdictCode; "": nothing is to be told
  SeenBy seen_by;
  // In the new process. Empty: ready; else why this cannot be provoked here.
  std::string (*prepare)(Stage& stage);
  // What the system call returned, errno as it set it.
  long (*attempt)(Stage& stage);
};

std::vector<Scenario> MlockScenarios();
std::vector<Scenario> MappingScenarios();
std::vector<Scenario> OtherCounterScenarios();
// The same calls where nothing is refused: no reason may be told.
std::vector<Scenario> ControlScenarios();
std::vector<Scenario> AllScenarios();

struct Outcome {
  long result = 0;
  int error = 0;
  int signal = 0;
};

class ScenarioProcess {
 public:
  // Forks, and waits until the process is ready.
  explicit ScenarioProcess(const Scenario& scenario);
  ~ScenarioProcess();
  ScenarioProcess(const ScenarioProcess&) = delete;
  ScenarioProcess& operator=(const ScenarioProcess&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& skip_reason() const { return skip_reason_; }

  // Makes the attempt. The process stays until this object ends, unless a signal ended it.
  Outcome Go();

 private:
  pid_t pid_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
  std::string skip_reason_;
};

}  // namespace pagewarden
