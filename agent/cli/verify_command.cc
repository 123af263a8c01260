// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/proc/status.h"
#include "agent/proof/needles.h"
#include "agent/proof/process_sets.h"
#include "agent/proof/supervised_command.h"
#include "agent/proof/verify.h"
#include "agent/proof/verify_report.h"

namespace pagewarden {
namespace {

constexpr int kSignalExit = 128;  // plus the signal, as shells do
constexpr int kMaxPid = 1 << 22;  // proc(5), /proc/sys/kernel/pid_max

constexpr char kFooter[] =
    R"(A copy is a place where 16 contiguous bytes of a private number or of the PEM
text are intact (8 of a text secret). It is fenced when it lies in an arena of
the shim, locked and left out of core dumps.

Examples:
  pagewarden verify --secret /etc/ssl/private/site.pem --pid 1234 --children
  pagewarden verify --secret site.pem -- pagewarden run -- nginx -g 'daemon off;'
  pagewarden verify --secret-text-file password --cgroup system.slice/redis.service

Exit status: 0 all copies are fenced, 1 some are not, 2 wrong usage, 4 something
could not be read, 5 no copy was found (is it the right key?).)";

struct VerifyOptions {
  std::vector<pid_t> pids;
  bool children = false;
  std::string cgroup;
  std::vector<std::string> command;
  double settle_seconds = 2;
  std::vector<std::string> key_files;
  std::vector<std::string> text_files;
  bool json = false;
  bool plain = false;
};

void PrintError(const std::string& what, absl::string_view why) {
  std::cerr << "pagewarden: " << what << " : " << why << "\n";
}

int Report(const VerifyOptions& options, const VerifyResult& result) {
  for (const std::string& line : result.warnings) std::cerr << "pagewarden: " << line << "\n";
  for (const std::string& line : result.unreadable) std::cerr << "pagewarden: " << line << "\n";
  if (options.json) {
    PrintJson(result, std::cout);
  } else if (options.plain) {
    PrintPlain(result, std::cout);
  } else {
    PrintTable(result, std::cout);
  }
  return ExitCode(result);
}

int VerifyCgroup(const VerifyOptions& options, const NeedleSet& needles) {
  const auto result = Verify([&] { return CgroupProcesses(options.cgroup); }, needles);
  if (result.ok()) return Report(options, *result);
  PrintError(absl::StrCat("cgroup ", options.cgroup), result.status().message());
  return kExitPartialData;
}

// A process that was asked for by number must exist at the start.
std::vector<std::string> MissingProcesses(const std::vector<pid_t>& pids) {
  std::vector<std::string> missing;
  for (const pid_t pid : pids) {
    const auto status = ReadStatus(pid);
    if (status.ok()) continue;
    missing.push_back(absl::StrCat("process ", pid, " : ", status.status().message()));
  }
  return missing;
}

int VerifyPids(const VerifyOptions& options, const NeedleSet& needles) {
  const std::vector<std::string> missing = MissingProcesses(options.pids);
  const auto list = [&]() -> absl::StatusOr<std::vector<pid_t>> {
    std::vector<pid_t> pids = options.pids;
    if (!options.children) return pids;
    const auto descendants = Descendants(options.pids);
    if (!descendants.ok()) return descendants.status();
    pids.insert(pids.end(), descendants->begin(), descendants->end());
    return pids;
  };
  auto result = Verify(list, needles);
  if (!result.ok()) {
    PrintError("list of processes", result.status().message());
    return kExitPartialData;
  }
  result->unreadable.insert(result->unreadable.begin(), missing.begin(), missing.end());
  return Report(options, *result);
}

int VerifyCommand(const VerifyOptions& options, const NeedleSet& needles) {
  auto command = SupervisedCommand::Start(options.command);
  if (!command.ok()) {
    PrintError(options.command[0], command.status().message());
    return absl::IsNotFound(command.status()) ? kExitNotFound : kExitCannotExecute;
  }
  const int signal = (*command)->Settle(absl::Seconds(options.settle_seconds));
  if (signal != 0) return kSignalExit + signal;
  if (const auto ending = (*command)->Ending(); ending.has_value()) {
    PrintError(options.command[0], absl::StrCat(*ending, " before its memory was searched"));
  }
  const auto result = Verify([&] { return (*command)->Processes(); }, needles);
  (*command)->Stop();
  if (result.ok()) return Report(options, *result);
  PrintError(options.command[0], result.status().message());
  return kExitPartialData;
}

int RunVerify(const VerifyOptions& options) {
  // Neither a core dump nor another user may get at the secrets through us.
  prctl(PR_SET_DUMPABLE, 0);
  const auto needles = LoadNeedles(options.key_files, options.text_files);
  if (!needles.ok()) {
    std::cerr << "pagewarden: " << needles.status().message() << "\n";
    return kExitUsage;
  }
  if (!options.command.empty()) return VerifyCommand(options, *needles);
  return options.cgroup.empty() ? VerifyPids(options, *needles) : VerifyCgroup(options, *needles);
}

void CheckUsage(const VerifyOptions& options) {
  const int targets = !options.pids.empty() + !options.cgroup.empty() + !options.command.empty();
  if (targets != 1) {
    throw CLI::ValidationError("verify", "give one of --pid, --cgroup and -- COMMAND");
  }
  if (options.key_files.empty() && options.text_files.empty()) {
    throw CLI::ValidationError("verify", "give --secret or --secret-text-file");
  }
  if (options.children && options.pids.empty()) {
    throw CLI::ValidationError("verify", "--children goes with --pid");
  }
}

}  // namespace

void AddVerifyCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify =
      app.add_subcommand("verify", "Find every copy of a secret in live processes, fenced or not");
  verify->add_option("--pid", options->pids, "Search this process; may be repeated")
      ->type_name("PID")
      ->allow_extra_args(false)
      ->check(CLI::Range(1, kMaxPid, ""));
  verify->add_flag("--children", options->children, "With --pid: and all their descendants");
  verify->add_option("--cgroup", options->cgroup, "Search a cgroup and all below it")
      ->type_name("PATH");
  verify
      ->add_option("command", options->command,
                   "After --: start this, search it and its descendants, end them; its standard "
                   "output goes to standard error")
      ->type_name("");
  verify->add_option("--settle", options->settle_seconds, "How long a started COMMAND may work")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0, ""));
  verify
      ->add_option("--secret", options->key_files,
                   "Private keys, PEM or DER, RSA or EC; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verify
      ->add_option("--secret-text-file", options->text_files,
                   "A password or other text of at least 8 bytes: the whole file is one "
                   "secret; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  CLI::Option* json = verify->add_flag("--json", options->json, "Print JSON");
  verify->add_flag("--plain", options->plain, "Print rows separated by tabs, without heading")
      ->excludes(json);
  verify->footer(kFooter);
  verify->callback([options, &exit_code] {
    CheckUsage(*options);
    exit_code = RunVerify(*options);
  });
}

}  // namespace pagewarden
