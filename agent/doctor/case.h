// SPDX-License-Identifier: Apache-2.0
// One process, or one command before its start, with all that the checks look at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/doctor/environment/environment.h"
#include "agent/doctor/executable_facts.h"
#include "agent/doctor/filter_probe.h"
#include "agent/doctor/finding.h"
#include "agent/doctor/host_facts.h"
#include "agent/doctor/process_facts.h"
#include "agent/reasons/attempt.h"

namespace pagewarden {

// How much is to be locked, and for whom.
struct Need {
  uint64_t bytes = 0;
  bool asked_for = false;  // by --need
  bool may_grow = false;   // policy's arenas may grow beyond
  std::string policy;      // empty: none selects the program
};

struct Case {
  std::string name;    // "nginx[4711]", or the command's executable
  ProcessFacts facts;  // of the process; of a command: of the one that starts it
  Environment environment;
  std::string where;    // cgroup, namespaces, filters, in a line
  std::string command;  // quoted for a shell; empty: a running process
  std::string check;    // the command that looks again
  ExecutableFacts executable;
  HostFacts host;
  Need need;
  std::string shim_path;              // of this installation
  std::optional<FilterProbe> filter;  // of the seccomp filter; absent: not known

  bool IsRunning() const { return command.empty(); }
};

// With subject, where, check and effect of the case.
Finding FindingOf(const Case& subject, FindingCode code, std::string headline);

// What becomes of the memory that is not locked.
std::string EffectOf(const Case& subject);

// "cgroup, user namespace, seccomp, security module".
std::string WhereOf(const ProcessFacts& facts, const Environment& environment);

// The call that would lock `bytes`, with the facts of the case: what Classify asks for.
Attempt Imagine(const Case& subject, LockCall call, uint64_t bytes);

// Bytes for RLIMIT_MEMLOCK: what is locked and the request, with 25 % of headroom, in
// whole pages.
uint64_t RecommendedLimit(uint64_t locked_bytes, uint64_t request_bytes);

// The fixes of a limit for this much more, in this environment.
std::vector<Fix> LimitFixesOf(const Case& subject, uint64_t request_bytes, bool capability_helps);

// `word` as a shell reads it back.
std::string ShellQuote(absl::string_view word);

}  // namespace pagewarden
