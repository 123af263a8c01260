// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/proc/status.h"
#include "agent/proof/guarded_process.h"
#include "agent/proof/needles.h"
#include "agent/proof/process_sets.h"
#include "agent/proof/supervised_command.h"
#include "agent/proof/verify.h"
#include "agent/proof/verify_report.h"
#include "agent/proof/verify_summary.h"

namespace pagewarden {
namespace {

constexpr int kSignalExit = 128;  // plus the signal, as shells do
constexpr int kMaxPid = 1 << 22;  // proc(5), /proc/sys/kernel/pid_max

constexpr char kHelp[] =
    R"(Find every copy of a known secret in live processes, and say whether it is fenced.

Examples:
  pagewarden verify --secret site.pem --pid 1234 --children
  pagewarden verify --secret site.pem --cgroup system.slice/nginx.service
  pagewarden verify --secret site.pem -- pagewarden run -- nginx -g 'daemon off;'
  pagewarden verify --secret-text-file password --json --pid 1234

Usage:
  pagewarden verify SECRET... --pid PID... [--children] [OPTIONS]
  pagewarden verify SECRET... --cgroup PATH [OPTIONS]
  pagewarden verify SECRET... [OPTIONS] -- COMMAND [ARGUMENT...]

SECRET, each may be given several times:
  --secret FILE            the private keys in FILE: PEM (PKCS #1, SEC 1, PKCS #8, OpenSSH),
                           DER or PKCS #12; RSA, EC, Ed25519 and its kin, DSA
  --secret-text-file FILE  a password or other text, 8 to 4096 bytes: all of FILE but the
                           newline at its end
  --secret-hex-file FILE   bytes, written in hexadecimal
  --passphrase-file FILE   the passphrase of encrypted keys: the first line of FILE

Where to look:
  --pid PID                this process; may be given several times
  --children               with --pid: and all descendants
  --cgroup PATH            the processes of this cgroup and all below it: a directory, or a
                           path as in /proc/PID/cgroup
  COMMAND                  start it, search it and its descendants, then end them all; its
                           standard output goes to standard error

Options:
  --live                   let the processes run while they are searched: what moves
                           meanwhile may be missed. Without it all are stopped first
  --accept fenced|locked   what a copy must be for exit code 0 (default fenced)
  --settle SECONDS         how long COMMAND may work before the search (default 2)
  --json                   print JSON
  --plain                  print the rows separated by tabs, without heading and verdict
  -h, --help               print this help

A copy is a place where at least 16 contiguous bytes of a private number or of the PEM
text are intact; 8 of a text. WHERE: what kind of memory it is in. LOCKED: it cannot be
swapped out. DUMPABLE: it would be in a core dump. FENCED: locked, not dumpable, and in
an arena of libpagewarden.so. STALE: nothing owns the bytes any more; "-": nobody can
tell. Needs the same user as the processes, or CAP_SYS_PTRACE. docs/verify.md has more.

Exit codes: 0 every copy is accepted, 1 some copy is not, 2 usage, or a secret that cannot
be loaded, 4 something could not be read, 5 no copy at all (is it the right secret?),
126 COMMAND cannot be executed, 127 COMMAND not found.
)";

struct VerifyOptions {
  std::vector<pid_t> pids;
  bool children = false;
  bool live = false;
  std::string cgroup;
  std::vector<std::string> command;
  double settle_seconds = 2;
  SecretFiles secrets;
  Accept accept = Accept::kFenced;
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
  return ExitCode(result, options.accept);
}

int VerifyCgroup(const VerifyOptions& options, const NeedleSet& needles) {
  const auto result =
      Verify([&] { return CgroupProcesses(options.cgroup); }, needles, {options.live, {}});
  if (result.ok()) return Report(options, *result);
  PrintError(absl::StrCat("cgroup ", options.cgroup), result.status().message());
  return kExitPartialData;
}

// Splits off the processes that do not exist, with a line for each.
std::vector<std::string> TakeMissing(std::vector<pid_t>& pids) {
  std::vector<std::string> missing;
  const auto is_missing = [&missing](pid_t pid) {
    const auto status = ReadStatus(pid);
    if (status.ok()) return false;
    missing.push_back(absl::StrCat(
        "process ", pid, " : ",
        absl::IsNotFound(status.status()) ? "no such process" : status.status().message()));
    return true;
  };
  pids.erase(std::remove_if(pids.begin(), pids.end(), is_missing), pids.end());
  return missing;
}

int VerifyPids(const VerifyOptions& options, const NeedleSet& needles) {
  std::vector<pid_t> named = options.pids;
  const std::vector<std::string> missing = TakeMissing(named);
  const auto list = [&]() -> absl::StatusOr<std::vector<pid_t>> {
    std::vector<pid_t> pids = named;
    if (!options.children) return pids;
    const auto descendants = Descendants(named);
    if (!descendants.ok()) return descendants.status();
    pids.insert(pids.end(), descendants->begin(), descendants->end());
    return pids;
  };
  auto result = Verify(list, needles, {options.live, named});
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
  const auto result = Verify([&] { return (*command)->Processes(); }, needles, {options.live, {}});
  (*command)->Stop();
  if (result.ok()) return Report(options, *result);
  PrintError(options.command[0], result.status().message());
  return kExitPartialData;
}

int LoadAndVerify(const VerifyOptions& options) {
  const auto needles = LoadNeedles(options.secrets);
  WipeDeadStack();
  if (!needles.ok()) {
    std::cerr << "pagewarden: " << needles.status().message() << "\n";
    return kExitUsage;
  }
  if (!options.command.empty()) return VerifyCommand(options, *needles);
  return options.cgroup.empty() ? VerifyPids(options, *needles) : VerifyCgroup(options, *needles);
}

int RunVerify(const VerifyOptions& options) {
  // The search goes on without: it is asked for by somebody who has the secrets at hand.
  if (const absl::Status guarded = GuardProcess(); !guarded.ok()) {
    PrintError("verify", guarded.message());
  }
  int exit_code = kExitPartialData;
  const absl::Status run = OnGuardedStack([&] { exit_code = LoadAndVerify(options); });
  if (!run.ok()) PrintError("verify", run.message());
  return exit_code;
}

// Empty when the options go together.
absl::string_view UsageError(const VerifyOptions& options) {
  const int targets = !options.pids.empty() + !options.cgroup.empty() + !options.command.empty();
  if (targets == 0) return "nowhere to look: give --pid, --cgroup or -- COMMAND";
  if (targets > 1) return "give only one of --pid, --cgroup and -- COMMAND";
  const SecretFiles& secrets = options.secrets;
  if (secrets.keys.empty() && secrets.texts.empty() && secrets.hex.empty()) {
    return "no secret: give --secret, --secret-text-file or --secret-hex-file";
  }
  if (options.children && options.pids.empty()) return "--children goes with --pid";
  return "";
}

}  // namespace

void AddVerifyCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify =
      app.add_subcommand("verify", "Find every copy of a secret in live processes, fenced or not");
  verify->formatter_fn([](const CLI::App*, std::string, CLI::AppFormatMode) { return kHelp; });
  // One value each time: a list would swallow the -- before the command.
  verify->add_option("--pid", options->pids)
      ->allow_extra_args(false)
      ->check(CLI::Range(1, kMaxPid));
  verify->add_flag("--children", options->children);
  verify->add_option("--cgroup", options->cgroup);
  verify->add_flag("--live", options->live);
  verify->add_option("command", options->command);
  verify->add_option("--settle", options->settle_seconds)->check(CLI::Range(0.0, 86400.0));
  verify->add_option("--secret", options->secrets.keys)->allow_extra_args(false);
  verify->add_option("--secret-text-file", options->secrets.texts)->allow_extra_args(false);
  verify->add_option("--secret-hex-file", options->secrets.hex)->allow_extra_args(false);
  verify->add_option("--passphrase-file", options->secrets.passphrase);
  verify->add_option("--accept", options->accept)
      ->transform(CLI::Transformer(
          std::map<std::string, Accept>{{"fenced", Accept::kFenced}, {"locked", Accept::kLocked}}));
  CLI::Option* json = verify->add_flag("--json", options->json);
  verify->add_flag("--plain", options->plain)->excludes(json);
  verify->callback([options, &exit_code] {
    const absl::string_view error = UsageError(*options);
    if (error.empty()) {
      exit_code = RunVerify(*options);
      return;
    }
    PrintError("verify", absl::StrCat(error, "; try pagewarden verify --help"));
    exit_code = kExitUsage;
  });
}

}  // namespace pagewarden
