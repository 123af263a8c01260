// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/audit/formats.h"
#include "agent/audit/report.h"
#include "agent/audit/snapshot.h"
#include "agent/base/exit_codes.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/cli/commands.h"

namespace pagewarden {
namespace {

struct AuditOptions {
  SnapshotOptions snapshot;
  std::string source = "auto";
  std::string by = "cgroup";
  bool json = false;
  bool plain = false;
  bool all = false;
};

void Complain(absl::string_view message) { std::cerr << "pagewarden: " << message << "\n"; }

std::string HostName() {
  utsname names;
  return uname(&names) == 0 ? names.nodename : "";
}

// Accepts what people paste: "/a/b", "a/b", "a/b/", "<mount point>/a/b".
// False, with a message: no such cgroup.
bool NormalizeCgroup(const CgroupHierarchy* hierarchy, std::string& cgroup) {
  if (cgroup.empty()) return true;
  if (hierarchy == nullptr) {
    Complain("--cgroup : no cgroup hierarchy with the memory controller is mounted");
    return false;
  }
  absl::string_view path = cgroup;
  const std::string& mount_point = hierarchy->mount_point();
  if (path == mount_point || absl::StartsWith(path, absl::StrCat(mount_point, "/"))) {
    path.remove_prefix(mount_point.size());
  }
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  absl::ConsumePrefix(&path, "/");
  std::string normal = absl::StrCat("/", path);
  struct stat info;
  if (stat(hierarchy->DirectoryOf(normal).c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    Complain(absl::StrCat("--cgroup ", cgroup, " : no such cgroup below ", mount_point));
    return false;
  }
  cgroup = std::move(normal);
  return true;
}

SnapshotSource SourceOf(const std::string& name) {
  if (name == "bpf") return SnapshotSource::kBpf;
  return name == "proc" ? SnapshotSource::kProc : SnapshotSource::kAuto;
}

GroupBy GroupingOf(const std::string& name) {
  if (name == "process") return GroupBy::kProcess;
  return name == "uid" ? GroupBy::kUid : GroupBy::kCgroup;
}

void Print(const AuditOptions& options, const AuditReport& report) {
  if (options.json) {
    std::cout << FormatJson(report);
  } else if (options.plain) {
    std::cout << FormatPlain(report, GroupingOf(options.by));
  } else {
    std::cout << FormatTableReport(report, {GroupingOf(options.by), options.all, {}});
  }
  std::cout.flush();
}

int Audit(AuditOptions options) {
  const auto found = CgroupHierarchy::Find();
  const CgroupHierarchy* hierarchy = found.ok() ? &*found : nullptr;
  if (!NormalizeCgroup(hierarchy, options.snapshot.cgroup)) return kExitUsage;

  options.snapshot.source = SourceOf(options.source);
  auto snapshot = TakeSnapshot(hierarchy, options.snapshot);
  if (!snapshot.ok()) {
    Complain(absl::StrCat("cannot audit : ", snapshot.status().message()));
    return kExitPartialData;
  }
  if (!found.ok()) Complain(absl::StrCat("no cgroups : ", found.status().message()));
  if (!snapshot->fallback_reason.empty()) {
    Complain(absl::StrCat("reading /proc instead of BPF : ", snapshot->fallback_reason));
  }
  for (const std::string& line : snapshot->unreadable) {
    Complain(absl::StrCat("incomplete : cannot read ", line));
  }
  const bool partial = !snapshot->unreadable.empty() || !found.ok();
  Print(options, BuildReport(*std::move(snapshot), hierarchy, HostName()));
  if (!std::cout) {
    Complain("cannot write the report : output error");
    return kExitPartialData;
  }
  return partial ? kExitPartialData : kExitClean;
}

void AddOptions(CLI::App& command, AuditOptions& options) {
  const auto one_of = [](std::vector<std::string> names) {
    return CLI::IsMember(std::move(names)).description("");
  };
  CLI::Option* const json = command.add_flag("--json", options.json, "Print JSON, all processes");
  command.add_flag("--plain", options.plain, "Print a record per line, fields parted by tabs")
      ->excludes(json);
  command.add_option("--by", options.by, "Rows: cgroup (default), process or uid")
      ->check(one_of({"cgroup", "process", "uid"}))
      ->type_name("WHAT");
  command.add_flag("--all", options.all, "Also show rows that lock nothing and have no shim");
  command.add_option("--cgroup", options.snapshot.cgroup, "Only this cgroup and those below it")
      ->type_name("PATH");
  command.add_option("--pid", options.snapshot.pids, "Only these processes")
      ->check(CLI::Range(1, 1 << 22).description(""))
      ->type_name("PID");
  command
      .add_option("--source", options.source,
                  "auto (default): bpf, else proc; bpf: task iterator; proc: /proc")
      ->check(one_of({"auto", "bpf", "proc"}))
      ->type_name("SOURCE");
}

}  // namespace

void AddAuditCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<AuditOptions>();
  CLI::App* const command =
      app.add_subcommand("audit", "Show who locks and pins memory, and against which limit");
  AddOptions(*command, *options);
  command->footer(
      "Examples:\n"
      "  pagewarden audit\n"
      "  pagewarden audit --by process --cgroup /system.slice\n"
      "  pagewarden audit --json --pid 4711\n"
      "Columns: LIMIT is the tightest soft RLIMIT_MEMLOCK, USE% the worst process's share of\n"
      "its own, CAP ipc_lock that the limit does not bind, SHIM policy and active/selected\n"
      "processes, with what is not covered in brackets, RESIDUE what is charged to a user and\n"
      "to none of its processes.");
  command->callback([options, &exit_code] { exit_code = Audit(*options); });
}

}  // namespace pagewarden
