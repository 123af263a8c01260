// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/audit_output.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace truth {
namespace {

using nlohmann::json;

struct Ended {
  int exit_code = -1;
  std::string out;
  std::string err;
};

Ended RunShell(const std::string& command) {
  Ended ended;
  const int messages = memfd_create("stderr", MFD_CLOEXEC);
  absl::Cleanup close_messages = [messages] { close(messages); };
  const std::string path = absl::StrCat("/proc/", getpid(), "/fd/", messages);
  FILE* const pipe = popen(absl::StrCat(command, " 2>", path).c_str(), "re");
  if (pipe == nullptr) return ended;
  char buffer[65536];
  while (const size_t got = fread(buffer, 1, sizeof(buffer), pipe)) ended.out.append(buffer, got);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  const ssize_t got = pread(messages, buffer, sizeof(buffer), 0);
  if (got > 0) ended.err.assign(buffer, static_cast<size_t>(got));
  return ended;
}

// False: a process is in there twice.
bool ReadCgroup(const json& cgroup, AuditOutput& output) {
  const std::string path = cgroup.at("path");
  output.cgroups[path] = {cgroup.at("lockedBytes"), cgroup.at("pinnedBytes")};
  for (const json& process : cgroup.at("processes")) {
    const AuditedProcess row = {path, process.at("lockedBytes"), process.at("pinnedBytes"),
                                process.at("driftBytes")};
    if (!output.processes.emplace(process.at("pid"), row).second) return false;
  }
  return true;
}

absl::StatusOr<AuditOutput> Read(const std::string& text, const std::string& source) {
  AuditOutput output;
  try {
    const json report = json::parse(text);
    if (report.at("source") != source) return absl::InternalError("another source");
    for (const json& cgroup : report.at("cgroups")) {
      if (!ReadCgroup(cgroup, output)) return absl::InternalError("a process twice");
    }
    for (const json& user : report.at("uids")) {
      output.residues[user.at("uid")] = user.at("residueBytes");
    }
  } catch (const json::exception& error) {
    return absl::InternalError(error.what());
  }
  return output;
}

}  // namespace

absl::StatusOr<AuditOutput> RunAudit(const std::string& program, const std::string& source,
                                     const std::string& cgroup) {
  const Ended ended =
      RunShell(absl::StrCat(program, " audit --json --source=", source, " --cgroup ", cgroup));
  if (ended.exit_code != 0 || !ended.err.empty()) {
    return absl::InternalError(
        absl::StrCat("audit --source=", source, " ended with ", ended.exit_code, ": ", ended.err));
  }
  return Read(ended.out, source);
}

}  // namespace truth
