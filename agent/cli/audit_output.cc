// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>

#include <iostream>

#include "agent/base/exit_codes.h"
#include "agent/cli/audit_options.h"

namespace pagewarden {

void Complain(absl::string_view message) { std::cerr << "pagewarden: " << message << "\n"; }

std::string HostName() {
  utsname names;
  return uname(&names) == 0 ? names.nodename : "";
}

ReportOptions ReportOptionsOf(const AuditOptions& options) {
  ReportOptions result;
  result.top = options.snapshot.cgroup.empty() ? "/" : options.snapshot.cgroup;
  if (!options.snapshot.pids.empty()) result.top.reset();
  return result;
}

int AuditExitCode(const AuditOptions& options, const AuditReport& report, bool partial) {
  const std::optional<Severity> worst = WorstOf(FindingsOf(report));
  // What was found is true, whatever else could not be read.
  if (options.fail_on && worst && *worst >= *options.fail_on) return kExitFindings;
  return partial ? kExitPartialData : kExitClean;
}

bool PrintReport(const AuditOptions& options, const AuditReport& report) {
  if (options.json) {
    std::cout << FormatJson(report);
  } else if (options.plain) {
    std::cout << FormatPlain(report, options.table.by);
  } else if (options.explain) {
    std::cout << FormatExplanation(report);
  } else {
    std::cout << FormatTableReport(report, options.table);
  }
  if (options.hooks && !options.json) std::cout << "\n" << FormatHooks(report.hooks);
  std::cout.flush();
  if (std::cout) return true;
  Complain("cannot write the report : output error");
  return false;
}

}  // namespace pagewarden
