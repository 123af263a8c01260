// SPDX-License-Identifier: Apache-2.0
// Examines a process, a unit, a command before its start, or the host.
//
//   auto report = pagewarden::ExamineProcess(4711, {});
//   for (const Finding& finding : report->findings) …
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/doctor/case.h"
#include "agent/doctor/finding.h"
#include "agent/run/choose_policies.h"

namespace pagewarden {

struct DoctorOptions {
  std::optional<uint64_t> need_bytes;  // absent: what the policy for the program locks
  PolicyChoice policies;               // as `run` would take them
  std::string root;                    // of an image, for units; empty: this host
  // Of this installation; empty: not known.
  std::string shim_path;
  std::string shipped_policies;
};

struct DoctorReport {
  std::vector<pid_t> pids;            // of the processes that were looked at
  std::string subject;                // "process 4711", "nginx.service", …
  std::vector<std::string> observed;  // the facts, a line for each process
  std::vector<std::string> checked;   // the questions that were asked
  std::vector<Finding> findings;      // merged and ordered
  std::vector<std::string> unreadable;
};

// NotFound: no such process. InvalidArgument: the policies are wrong.
absl::StatusOr<DoctorReport> ExamineProcess(pid_t pid, const DoctorOptions& options);

// The processes of the unit's cgroup; without any, and with options.root, what its files
// will give them. NotFound: neither unit file nor process.
absl::StatusOr<DoctorReport> ExamineUnit(const std::string& unit, const DoctorOptions& options);

// Tries the seccomp filter of this process, which the command inherits. NotFound,
// PermissionDenied: no such program.
absl::StatusOr<DoctorReport> ExamineCommand(const std::vector<std::string>& command,
                                            const DoctorOptions& options);

DoctorReport ExamineHost();

// For people: the findings one below the other, then what was looked at.
std::string FormatDoctorText(const DoctorReport& report);
std::string FormatDoctorJson(const DoctorReport& report);

}  // namespace pagewarden
