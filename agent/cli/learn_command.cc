// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/learn/learn.h"
#include "agent/learn/learn_report.h"
#include "agent/learn/workload.h"
#include "agent/proof/guarded_process.h"
#include "agent/proof/secret_bytes.h"
#include "agent/proof/verify_summary.h"
#include "agent/run/preflight.h"
#include "agent/run/program.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] =
    R"(Find out which allocations of a program hold a secret, write the policy that fences them, and
prove it on a second run.

Examples:
  pagewarden learn --secret test.pem --workload 'curl -sk https://127.0.0.1:8443/' -- node server.js
  pagewarden learn --secret-text-file password --workload ./login.sh --output redis.yaml -- \
      redis-server redis.conf

Usage:
  pagewarden learn SECRET... [OPTIONS] -- PROGRAM [ARGUMENT...]

SECRET, each may be given several times:
  --secret FILE            the private keys in FILE: what `pagewarden verify` takes
  --secret-text-file FILE  a password or other text
  --secret-hex-file FILE   bytes, written in hexadecimal
  --passphrase-file FILE   the passphrase of encrypted keys: the first line of FILE

Options:
  --workload CMD           what uses the secret: run by a shell while PROGRAM runs, and to be
                           waited for; must exit with 0
  --settle SECONDS         how long PROGRAM may start before the workload (default 2)
  --output FILE            write the policy to FILE, not to standard output
  --max-moved PERCENT      of the heap's allocations that stack rules may move (default 1)
  -h, --help               print this help

PROGRAM runs two or three times, until the workload is done, and is ended with SIGTERM. It must
stay until then, in the foreground or as a daemon. First it runs under all shipped presets and
a recorder, which is slower, and once more without those presets that fenced something else
only. The others become rules; what they do not fence is named by call stacks (build-id and
offset), and what is not on the heap by pins. The last run is under the learned policy alone.
Use a test key: the policy fits every key.

What is learned, and what cannot be, is told on standard error.

Exit codes, of the last run: 0 every copy is fenced, or locked where it is, 1 some copy is not,
2 usage, or a secret that cannot be loaded, 4 PROGRAM ended, the workload failed, or something
could not be read, 5 no copy at all (is it the right secret?), 126 PROGRAM cannot be executed,
127 PROGRAM not found. With 0 there is a policy, with 1 one for what could be learned.
)";

constexpr std::filesystem::perms kWritableByOthers =
    std::filesystem::perms::group_write | std::filesystem::perms::others_write;
constexpr int kSignalExit = 128;  // plus the signal, as shells do

struct LearnOptions {
  SecretFiles secrets;
  std::string workload;
  double settle_seconds = 2;
  std::string output;
  double max_moved_percent = 1;
  std::vector<std::string> command;
};

int Fail(int exit_code, absl::string_view message) {
  std::cerr << "pagewarden: " << message << "\n";
  return exit_code;
}

class StderrProgress : public LearnProgress {
 public:
  void Recorded(const WatchedRun& run) override {
    std::cerr << "pagewarden: " << RecordedLine(run) << "\n";
    for (const std::string& line : run.figures.uncovered) {
      std::cerr << "pagewarden: " << line << "\n";
    }
  }
};

int ExitCodeFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kPermissionDenied:
      return kExitCannotExecute;
    case absl::StatusCode::kCancelled:
      return kSignalExit + InterruptingSignal(status);
    default:
      return kExitPartialData;
  }
}

// True when the policy is out.
bool Write(const std::string& yaml, const std::string& path) {
  if (path.empty()) {
    std::cout << yaml << std::flush;
    return std::cout.good();
  }
  std::ofstream file(path, std::ios::trunc);
  file << yaml << std::flush;
  // Whatever the umask: others could not be trusted with it.
  std::error_code ignored;
  std::filesystem::permissions(path, kWritableByOthers, std::filesystem::perm_options::remove,
                               ignored);
  return file.good();
}

int Report(const LearnOptions& options, const LearnResult& result) {
  if (result.yaml.empty() && result.recorded.result.copies.empty()) {
    return Fail(kExitNoneFound, "no copy of the secret was found: is it the right one?");
  }
  if (result.yaml.empty()) {
    for (const std::string& line : result.left) std::cerr << "pagewarden: " << line << "\n";
    return Fail(kExitFindings, "no policy: nothing of this can be fenced");
  }
  for (const std::string& line : ProofLines(result)) std::cerr << "pagewarden: " << line << "\n";
  for (const std::string& line : result.proof.result.unreadable) {
    std::cerr << "pagewarden: " << line << "\n";
  }
  if (!Write(result.yaml, options.output)) {
    return Fail(kExitPartialData, absl::StrCat("cannot write the policy to ", options.output));
  }
  const VerifyResult& proof = result.proof.result;
  // What the first run saw only in passing may leave nothing to find at the end.
  if (proof.copies.empty() && proof.unreadable.empty()) return kExitClean;
  return ExitCode(proof, Accept::kLocked);
}

int LoadAndLearn(const LearnOptions& options) {
  const auto needles = LoadNeedles(options.secrets);
  WipeDeadStack();
  if (!needles.ok()) return Fail(kExitUsage, needles.status().message());
  const auto program = FindProgram(options.command.front(), getenv("PATH"));
  if (!program.ok()) return Fail(ExitCodeFor(program.status()), program.status().message());
  const auto locations = FindLocations();
  if (!locations.ok()) return Fail(kExitCannotExecute, locations.status().message());
  if (locations->recorder.empty()) {
    return Fail(kExitCannotExecute, "libpagewarden-recorder.so is not installed");
  }
  for (const Finding& finding : CheckPreloadable(program->executable)) {
    std::cerr << "pagewarden: warning " << OneLine(finding) << "\n";
  }
  RaiseMemlockLimit();
  LearnRequest request;
  request.program.command = options.command;
  request.program.workload = options.workload;
  request.program.settle = absl::Seconds(options.settle_seconds);
  request.program.locations = *locations;
  request.executable = program->executable;
  request.budget = options.max_moved_percent / 100;
  StderrProgress progress;
  const auto result = Learn(request, *needles, progress);
  if (!result.ok()) return Fail(ExitCodeFor(result.status()), result.status().message());
  return Report(options, *result);
}

int RunLearn(const LearnOptions& options) {
  const absl::Status guarded = GuardProcess();
  if (!guarded.ok()) std::cerr << "pagewarden: learn : " << guarded.message() << "\n";
  int exit_code = kExitPartialData;
  const absl::Status run = OnGuardedStack([&] { exit_code = LoadAndLearn(options); });
  return run.ok() ? exit_code : Fail(kExitPartialData, run.message());
}

// Two runs would be in vain.
bool CanWrite(const std::string& path) {
  if (path.empty() || access(path.c_str(), W_OK) == 0) return true;
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return errno == ENOENT && access(directory.empty() ? "." : directory.c_str(), W_OK) == 0;
}

absl::string_view UsageError(const LearnOptions& options) {
  if (options.command.empty()) return "no program: give it after --";
  const SecretFiles& secrets = options.secrets;
  if (secrets.keys.empty() && secrets.texts.empty() && secrets.hex.empty()) {
    return "no secret: give --secret, --secret-text-file or --secret-hex-file";
  }
  if (!CanWrite(options.output)) return "cannot write to the file of --output";
  return "";
}

}  // namespace

void AddLearnCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<LearnOptions>();
  CLI::App* learn =
      app.add_subcommand("learn", "Derive the policy that fences a secret in a program");
  learn->formatter_fn(
      [](const CLI::App*, const std::string&, CLI::AppFormatMode) { return kHelp; });
  // One value each time: a list would swallow the -- before the program.
  learn->add_option("--secret", options->secrets.keys)->allow_extra_args(false);
  learn->add_option("--secret-text-file", options->secrets.texts)->allow_extra_args(false);
  learn->add_option("--secret-hex-file", options->secrets.hex)->allow_extra_args(false);
  learn->add_option("--passphrase-file", options->secrets.passphrase);
  learn->add_option("--workload", options->workload);
  learn->add_option("--settle", options->settle_seconds)->check(CLI::Range(0.0, 86400.0));
  learn->add_option("--output", options->output);
  learn->add_option("--max-moved", options->max_moved_percent)->check(CLI::Range(0.0, 100.0));
  learn->add_option("program", options->command);
  learn->positionals_at_end();
  learn->callback([options, &exit_code] {
    const absl::string_view error = UsageError(*options);
    exit_code =
        error.empty()
            ? RunLearn(*options)
            : Fail(kExitUsage, absl::StrCat("learn : ", error, "; try pagewarden learn --help"));
  });
}

}  // namespace pagewarden
