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

AuditedSums ReadSums(const json& sums) { return {sums.at("lockedBytes"), sums.at("pinnedBytes")}; }

void ReadMappings(const json& mappings, AuditedProcess& row) {
  row.secret_bytes = mappings.at("secretBytes");
  row.mapping_bytes = 0;
  for (const char* const kind :
       {"anonymousBytes", "heapBytes", "stackBytes", "fileBytes", "shmemBytes", "secretBytes"}) {
    *row.mapping_bytes += mappings.at(kind).get<uint64_t>();
  }
}

AuditedProcess ReadProcess(const std::string& cgroup, const json& process) {
  AuditedProcess row;
  row.cgroup = cgroup;
  row.uid = process.at("uid");
  row.locked_bytes = process.at("lockedBytes");
  row.pinned_bytes = process.at("pinnedBytes");
  row.drift_bytes = process.at("driftBytes");
  if (process.contains("lockedMappings")) ReadMappings(process["lockedMappings"], row);
  if (process.contains("locksFuture")) row.locks_future = process["locksFuture"].get<bool>();
  return row;
}

// False: a process is in there twice.
bool ReadCgroup(const json& cgroup, AuditOutput& output) {
  const std::string path = cgroup.at("path");
  AuditedCgroup& row = output.cgroups[path];
  row.own = ReadSums(cgroup);
  if (output.is_detailed) {
    row.subtree = ReadSums(cgroup.at("subtree"));
    row.subtree_processes = cgroup["subtree"].at("processes");
  }
  for (const json& process : cgroup.at("processes")) {
    if (!output.processes.emplace(process.at("pid"), ReadProcess(path, process)).second) {
      return false;
    }
  }
  return true;
}

// What only some users have is not there for the others.
void ReadUser(const json& user, AuditOutput& output) {
  AuditedUser& row = output.users[user.at("uid")];
  row.residue_bytes = user.at("residueBytes");
  row.explained_bytes = user.value("explainedBytes", uint64_t{0});
  row.shm_locked_bytes = user.value("shmLockedBytes", uint64_t{0});
  for (const json& segment : user.value("lockedSegments", json::array())) {
    output.segments[segment.at("shmid")] = segment.at("bytes");
  }
}

void ReadFindings(const json& report, AuditOutput& output) {
  output.counter_differences = report.at("counterDifferences").size();
  for (const json& finding : report.at("findings")) {
    if (finding.at("code") == "drift") output.drifting.insert(finding.at("pid").get<pid_t>());
  }
}

absl::StatusOr<AuditOutput> Read(const std::string& text, const std::string& source) {
  AuditOutput output;
  try {
    const json report = json::parse(text);
    if (report.at("source") != source) return absl::InternalError("another source");
    output.is_detailed = report.contains("counterDifferences");
    for (const json& cgroup : report.at("cgroups")) {
      if (!ReadCgroup(cgroup, output)) return absl::InternalError("a process twice");
    }
    for (const json& user : report.at("uids")) ReadUser(user, output);
    if (output.is_detailed) ReadFindings(report, output);
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
