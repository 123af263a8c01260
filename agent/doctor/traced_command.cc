// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/traced_command.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/base/files.h"
#include "agent/base/unique_fd.h"
#include "agent/proof/process_stat.h"
#include "agent/run/program.h"

namespace pagewarden {
namespace {

constexpr int kMaxGenerations = 64;
constexpr absl::Duration kPatience = absl::Seconds(2);

// A failure leaves it where it is.
void Enter(const std::string& procs_file) {
  const UniqueFd fd(open(procs_file.c_str(), O_WRONLY | O_CLOEXEC));
  const ssize_t written = fd.ok() ? write(fd.get(), "0", 1) : 0;
  static_cast<void>(written);
}

[[noreturn]] void Execute(const std::string& path, const std::vector<std::string>& command,
                          int report_fd) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  execv(path.c_str(), arguments.data());
  const int error = errno;
  const ssize_t written = write(report_fd, &error, sizeof(error));
  _exit(written < 0 ? 126 : 127);
}

std::string OutcomeOf(int status) {
  if (WIFEXITED(status)) return absl::StrCat("exit ", WEXITSTATUS(status));
  const char* name = sigabbrev_np(WTERMSIG(status));
  return absl::StrCat("SIG", name == nullptr ? "?" : name);
}

}  // namespace

absl::StatusOr<TracedCommand> TracedCommand::Start(const std::vector<std::string>& command,
                                                   const std::string& procs_file) {
  const auto program = FindProgram(command.front(), getenv("PATH"));
  if (!program.ok()) return program.status();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const pid_t child = fork();
  if (child < 0) return ErrnoStatus(errno, "fork");
  if (child == 0) {
    if (!procs_file.empty()) Enter(procs_file);
    Execute(program->path, command, writer.get());
  }
  writer = UniqueFd();
  int error = 0;
  TracedCommand running(child);
  // Nothing comes when the exec has closed the pipe.
  if (read(reader.get(), &error, sizeof(error)) == sizeof(error)) {
    return ErrnoStatus(error, program->path);
  }
  return running;
}

TracedCommand::TracedCommand(TracedCommand&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), outcome_(std::move(other.outcome_)) {}

TracedCommand::~TracedCommand() {
  if (pid_ <= 0 || !IsRunning()) return;
  kill(pid_, SIGTERM);
  const absl::Time deadline = absl::Now() + kPatience;
  while (IsRunning() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(10));
  if (!IsRunning()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool TracedCommand::IsRunning() {
  int status = 0;
  for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (ended == pid_) outcome_ = OutcomeOf(status);
  }
  return outcome_.empty();
}

bool TracedCommand::IsDescendant(pid_t pid) const {
  for (int generation = 0; generation < kMaxGenerations && pid > 1; ++generation) {
    if (pid == pid_) return true;
    if (pid == getpid()) return generation > 0;
    const auto stat = ReadProcessStat(pid);
    if (!stat.ok()) return false;
    pid = stat->parent;
  }
  return false;
}

}  // namespace pagewarden
