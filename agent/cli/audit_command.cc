// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/audit/reconcile.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/audit_coverage.h"
#include "agent/cli/audit_options.h"
#include "agent/cli/cgroup_option.h"
#include "agent/cli/commands.h"
#include "agent/policy/effective_mode.h"
#include "agent/policy/modes.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kShortestInterval = absl::Milliseconds(100);

// The words as they were written.
struct AuditWords {
  std::string source = "auto";
  std::string by = "cgroup";
  std::string format;
  std::string fail_on = "never";
  std::string watch = "1";
  std::string watch_for;
  std::string max_mode;
  size_t depth = 0;
};

// "5", "0.5", "5s", "1m30s"; false: none of these.
bool ParseSeconds(const std::string& text, absl::Duration& duration) {
  double seconds = 0;
  if (absl::SimpleAtod(text, &seconds)) {
    duration = absl::Seconds(seconds);
    return true;
  }
  return absl::ParseDuration(text, &duration);
}

SnapshotSource SourceOf(const std::string& name) {
  if (name == "bpf") return SnapshotSource::kBpf;
  return name == "proc" ? SnapshotSource::kProc : SnapshotSource::kAuto;
}

GroupBy GroupingOf(const std::string& name) {
  if (name == "process") return GroupBy::kProcess;
  return name == "uid" ? GroupBy::kUid : GroupBy::kCgroup;
}

std::optional<Severity> SeverityOf(const std::string& name) {
  Severity severity;
  if (!ParseSeverity(name, severity)) return std::nullopt;
  return severity;
}

// Reports each cause of partial data on a line of its own.
bool ReportGaps(const Snapshot& snapshot) {
  if (!snapshot.fallback_reason.empty()) {
    Complain(absl::StrCat("reading /proc instead of BPF : ", snapshot.fallback_reason));
  }
  for (const std::string& line : snapshot.unreadable) {
    Complain(absl::StrCat("incomplete : cannot read ", line));
  }
  return !snapshot.unreadable.empty();
}

// What --watch would attach here.
void AddWatchHooks(const CgroupHierarchy* hierarchy, AuditReport& report) {
  const auto watch = Watch::Open(hierarchy, {});
  if (!watch.ok()) {
    Complain(absl::StrCat("no hooks for --watch : ", watch.status().message()));
    return;
  }
  for (HookReport& hook : watch->hooks()) report.hooks.push_back(std::move(hook));
}

int AuditOnce(const AuditOptions& options, const CgroupHierarchy* hierarchy) {
  AuditCoverage coverage(options.policy_dirs, options.max_mode);
  SnapshotOptions wanted = options.snapshot;
  coverage.Prepare(wanted);
  for (const std::string& message : coverage.TakeMessages()) Complain(message);
  auto reader = SnapshotReader::Open(hierarchy, options.snapshot.source);
  auto snapshot = reader.ok() ? reader->Read(wanted) : reader.status();
  if (!snapshot.ok()) {
    Complain(absl::StrCat("cannot audit : ", snapshot.status().message()));
    return kExitPartialData;
  }
  const bool partial = ReportGaps(*snapshot) || hierarchy == nullptr;
  std::vector<CounterDifference> differences = Reconcile(*snapshot, *reader);
  AuditReport report =
      BuildReport(*std::move(snapshot), hierarchy, HostName(), ReportOptionsOf(options));
  report.differences = std::move(differences);
  coverage.AddTo(report, hierarchy);
  if (options.hooks) AddWatchHooks(hierarchy, report);
  if (!PrintReport(options, report)) return kExitPartialData;
  return AuditExitCode(options, report, partial);
}

int Audit(AuditOptions options) {
  const auto found = CgroupHierarchy::Find();
  const CgroupHierarchy* hierarchy = found.ok() ? &*found : nullptr;
  if (const std::string wrong = NormalizeCgroup(hierarchy, options.snapshot.cgroup);
      !wrong.empty()) {
    Complain(wrong);
    return kExitUsage;
  }
  if (!found.ok()) Complain(absl::StrCat("no cgroups : ", found.status().message()));
  return options.watch_every ? WatchAudit(options, hierarchy) : AuditOnce(options, hierarchy);
}

auto OneOf(std::vector<std::string> names) {
  return CLI::IsMember(std::move(names)).description("");
}

void AddSelection(CLI::App& command, AuditOptions& options, AuditWords& words) {
  command.add_option("--cgroup", options.snapshot.cgroup, "Only this cgroup and those below it")
      ->type_name("PATH");
  command
      .add_option("--policy-dir", options.policy_dirs,
                  "Coverage by these drop-in directories, the lowest first, instead of the host's")
      ->allow_extra_args(false)
      ->type_name("DIR");
  command
      .add_option("--max-mode", words.max_mode,
                  "Lower the modes of policies to at most Disabled, Audit or Enforce, as an agent "
                  "elsewhere does; the host's is known")
      ->check(OneOf(TextsOf<kModes>()))
      ->type_name("MODE");
  command.add_option("--pid", options.snapshot.pids, "Only these processes; no sums of subtrees")
      ->check(CLI::Range(1, 1 << 22).description(""))
      ->type_name("PID");
  command
      .add_option("--source", words.source,
                  "auto (default): bpf, else proc; bpf: task iterator; proc: /proc")
      ->check(OneOf({"auto", "bpf", "proc"}))
      ->type_name("SOURCE");
}

void AddForms(CLI::App& command, AuditOptions& options, AuditWords& words) {
  CLI::Option* const json = command.add_flag(
      "--json", options.json, "Print JSON, all processes; with --watch an object a line");
  CLI::Option* const plain =
      command.add_flag("--plain", options.plain, "Print a record per line, fields parted by tabs")
          ->excludes(json);
  command
      .add_flag("--explain", options.explain,
                "Print the arithmetic of each cgroup's recommended limit")
      ->excludes(json)
      ->excludes(plain);
  command
      .add_option("--format", words.format,
                  "table, plain, json, or prometheus: metrics for a textfile collector")
      ->check(OneOf({"table", "plain", "json", "prometheus"}))
      ->excludes(json)
      ->excludes(plain)
      ->type_name("FORM");
  command.add_option("-o,--output", options.output, "Replace FILE by the report, at once")
      ->type_name("FILE");
  command.add_flag("--hooks", options.hooks,
                   "Also print the kernel hooks in use (and those --watch would use), with what "
                   "they cost and what was refused before them");
  command.add_option("--by", words.by, "Rows: cgroup (default), process or uid")
      ->check(OneOf({"cgroup", "process", "uid"}))
      ->type_name("WHAT");
  command.add_option("--depth", words.depth, "Show cgroups no deeper than this below the top")
      ->check(CLI::Range(0, 1000).description(""))
      ->type_name("N");
  command.add_flag("--all", options.table.all, "Also show rows that lock nothing and have no shim");
  command
      .add_option("--fail-on", words.fail_on,
                  "Exit with 1 if there is a finding at least this severe: info, warning, "
                  "error; never (default)")
      ->check(OneOf({"never", "info", "warning", "error"}))
      ->type_name("LEVEL");
}

void AddWatch(CLI::App& command, AuditOptions& options, AuditWords& words) {
  CLI::Option* const watch =
      command
          .add_option("--watch", words.watch,
                      "Print what changes, every SECONDS (1), and refusals as they happen; the "
                      "report at the end")
          ->expected(0, 1)
          ->type_name("[SECONDS]");
  command.add_option("--for", words.watch_for, "End the watch after this long: 90, 90s, 1h30m")
      ->needs(watch)
      ->type_name("DURATION");
  command
      .add_flag("--trace-syscalls", options.trace_syscalls,
                "See every result by watching system calls: slows every call down")
      ->needs(watch);
}

// False, with a message: wrong usage.
bool ParseWatch(const CLI::App& command, const AuditWords& words, AuditOptions& options) {
  if (command.count("--watch") == 0) return true;
  if (options.plain || options.prometheus || !options.output.empty()) {
    Complain("--watch : only has the forms table and JSON, on stdout");
    return false;
  }
  absl::Duration every = absl::Seconds(1);
  if (!words.watch.empty() && (!ParseSeconds(words.watch, every) || every < kShortestInterval)) {
    Complain(absl::StrCat("--watch ", words.watch, " : not 0.1 seconds or more"));
    return false;
  }
  options.watch_every = every;
  if (words.watch_for.empty()) return true;
  if (ParseSeconds(words.watch_for, options.watch_for) &&
      options.watch_for > absl::ZeroDuration()) {
    return true;
  }
  Complain(absl::StrCat("--for ", words.watch_for, " : not a duration"));
  return false;
}

void ApplyFormat(const std::string& format, AuditOptions& options) {
  options.json = format == "json";
  options.plain = format == "plain";
  options.prometheus = format == "prometheus";
}

bool Parse(const CLI::App& command, const AuditWords& words, AuditOptions& options) {
  options.snapshot.source = SourceOf(words.source);
  options.table.by = GroupingOf(words.by);
  options.max_mode = ParseMode(words.max_mode);
  options.fail_on = SeverityOf(words.fail_on);
  if (command.count("--depth") > 0) options.table.depth = words.depth;
  if (!words.format.empty()) ApplyFormat(words.format, options);
  return ParseWatch(command, words, options);
}

}  // namespace

void AddAuditCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<AuditOptions>();
  auto words = std::make_shared<AuditWords>();
  CLI::App* const command =
      app.add_subcommand("audit", "Show who locks and pins memory, and against which limit");
  AddForms(*command, *options, *words);
  AddSelection(*command, *options, *words);
  AddWatch(*command, *options, *words);
  command->footer(
      "Examples:\n"
      "  pagewarden audit --depth 2\n"
      "  pagewarden audit --by process --cgroup /system.slice\n"
      "  pagewarden audit --explain --cgroup /system.slice/nginx.service\n"
      "  pagewarden audit --watch --for 60s\n"
      "  pagewarden audit --json --pid 4711\n"
      "  pagewarden audit --format=prometheus -o "
      "/var/lib/prometheus/node-exporter/pagewarden.prom\n"
      "A cgroup's row is the sum of all below it; LOCKED, UNEVICT (resident) and PINNED count\n"
      "different things and must not be added. LIMIT is the tightest soft RLIMIT_MEMLOCK, in\n"
      "bytes and in the KiB of `ulimit -l`; USE% the worst process's share of its own; CAP\n"
      "ipc_lock: the limit does not bind; RAISED BY who may raise the limit; SHIM policy and\n"
      "active/selected processes, with what is not covered in brackets; RESIDUE what is charged\n"
      "to a user and to none of its processes; ~ a peak that was sampled.\n"
      "Exit: 0 clean, 1 findings (--fail-on), 2 usage, 4 something could not be read.");
  command->callback([command, options, words, &exit_code] {
    exit_code = Parse(*command, *words, *options) ? Audit(*options) : kExitUsage;
  });
}

}  // namespace pagewarden
