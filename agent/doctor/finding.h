// SPDX-License-Identifier: Apache-2.0
// What the doctor found: a stable code, the facts, what it leads to, how to mend it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "agent/doctor/codes.h"

namespace pagewarden {

// One way to mend it. The file is to be created or, if it exists, to get this text;
// the commands are for a shell, in order. Either may be empty.
struct Fix {
  std::string summary;  // "for the unit", "until its next start"
  std::string file;
  std::string content;  // with its line ends
  std::vector<std::string> commands;
};

struct Finding {
  FindingCode code = FindingCode::kUnexplained;
  Severity severity = Severity::kError;
  std::string subject;      // "nginx[4711]", "nginx.service", a path, "host"
  std::vector<pid_t> pids;  // of the processes it is true of; empty: not of a process
  std::string headline;     // goes after the subject, with the numbers: "cannot lock …"
  std::string where;        // cgroup, namespaces, filters; may be empty
  std::string effect;
  std::vector<std::string> in_force;  // what protects already, and what does not
  std::vector<Fix> fixes;             // the least privilege first; empty: `why` tells what to know
  std::string check;                  // the command that shows whether it is mended
  std::string why;
  std::string reason;  // "OVER_LIMIT.UNIT": code of agent/reasons, where it was asked
};

// With severity and reason of the code's row of the table.
Finding MakeFinding(FindingCode code, std::string subject, std::string headline);

// "PW003: nginx cannot lock …: …", for a warning beside other output.
std::string OneLine(const Finding& finding);

// Makes one finding of those that differ in their process only: the subject becomes
// "nginx[11] and 2 more like it (12, 13)"; the same finding twice becomes one. Those
// without a fix of their own get their code's. Then orders by severity, code, subject.
std::vector<Finding> MergeAndOrder(std::vector<Finding> findings);

}  // namespace pagewarden
