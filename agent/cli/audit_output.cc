// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>

#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/base/exit_codes.h"
#include "agent/base/new_file.h"
#include "agent/cli/audit_options.h"
#include "agent/metrics/exposition.h"

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

namespace {

std::string FormatMetrics(const AuditReport& report) {
  HostView view;
  view.time = absl::Now();
  view.host = report.host;
  view.report = report;
  view.coverage = report.coverage.value_or(CoverageReport());
  view.pods = std::make_shared<PodTable>(PodTable::Read());
  return RenderSnapshot(view, {});
}

std::string FormatAs(const AuditOptions& options, const AuditReport& report) {
  if (options.json) return FormatJson(report);
  if (options.prometheus) return FormatMetrics(report);
  std::string text = options.plain     ? FormatPlain(report, options.table.by)
                     : options.explain ? FormatExplanation(report)
                                       : FormatTableReport(report, options.table);
  if (options.hooks) absl::StrAppend(&text, "\n", FormatHooks(report.hooks));
  return text;
}

}  // namespace

bool PrintReport(const AuditOptions& options, const AuditReport& report) {
  const std::string text = FormatAs(options, report);
  if (!options.output.empty()) {
    const absl::Status written = ReplaceFile(options.output, text);
    if (!written.ok()) Complain(absl::StrCat("cannot write the report : ", written.message()));
    return written.ok();
  }
  std::cout << text;
  std::cout.flush();
  if (std::cout) return true;
  Complain("cannot write the report : output error");
  return false;
}

}  // namespace pagewarden
