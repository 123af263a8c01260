// SPDX-License-Identifier: Apache-2.0
// What `pagewarden audit` was asked for, and what its two forms share.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/audit/findings.h"
#include "agent/audit/formats.h"
#include "agent/audit/report.h"
#include "agent/audit/snapshot.h"
#include "agent/cgroup/hierarchy.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

struct AuditOptions {
  SnapshotOptions snapshot;
  TableOptions table;
  bool json = false;
  bool plain = false;
  bool explain = false;
  bool prometheus = false;
  std::string output;  // path of a file to replace; empty: stdout
  bool hooks = false;
  std::optional<Severity> fail_on;  // nullopt: findings do not change the exit code

  std::optional<absl::Duration> watch_every;  // nullopt: one report
  absl::Duration watch_for = absl::InfiniteDuration();
  bool trace_syscalls = false;
  std::vector<std::string> policy_dirs;  // none: the host's
  std::optional<abi::Mode> max_mode;     // of policies; nullopt: as the host's agent has it
};

// "pagewarden: <message>" to stderr.
void Complain(absl::string_view message);

std::string HostName();

// Of processes that were chosen by pid there is no roll-up.
ReportOptions ReportOptionsOf(const AuditOptions& options);

// One after the other: findings at the level asked for, partial data, clean.
int AuditExitCode(const AuditOptions& options, const AuditReport& report, bool partial);

// The report in the form asked for, to stdout or the file; false, with a message: it cannot
// be written.
bool PrintReport(const AuditOptions& options, const AuditReport& report);

// `pagewarden audit --watch`: until SIGINT, SIGTERM or the time asked for. `hierarchy` may
// be null. Returns the exit code.
int WatchAudit(const AuditOptions& options, const CgroupHierarchy* hierarchy);

}  // namespace pagewarden
