// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/check_runner.h"

#include <signal.h>
#include <sys/capability.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "agent/base/spawn_settings.h"
#include "agent/base/unique_fd.h"
#include "agent/secrets/check_talk.h"
#include "agent/secrets/group_json.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kBetweenQuestions = absl::Milliseconds(50);
constexpr absl::Duration kForItsEnd = absl::Seconds(2);
constexpr size_t kMostStuck = 4;

// A program that a user other than root executes has those capabilities only that are ambient;
// of root it has all that this thread has.
void PassCapabilitiesOn() {
  if (geteuid() == 0) return;
  const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> caps(cap_get_proc(),
                                                                           cap_free);
  for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); ++capability) {
    cap_flag_value_t is_permitted = CAP_CLEAR;
    cap_get_flag(caps.get(), capability, CAP_PERMITTED, &is_permitted);
    cap_set_flag(caps.get(), CAP_INHERITABLE, 1, &capability, is_permitted);
  }
  if (cap_set_proc(caps.get()) != 0) return;
  for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); ++capability) {
    cap_set_ambient(capability, CAP_SET);  // refused for those that are not permitted
  }
}

// 0, or an error number. The socket is its standard input; nothing else of this process's files
// is open in it but standard error.
int Spawn(const std::string& program, int socket, pid_t& pid) {
  char name[] = "pagewarden";
  char command[] = "secret-check";
  char* const argv[] = {name, command, nullptr};
  sigset_t none;
  sigemptyset(&none);
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, socket, STDIN_FILENO);
  settings.PrintToStandardError();
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  settings.SetSignalMask(none);
  return posix_spawn(&pid, program.c_str(), &settings.actions, &settings.attributes, argv, environ);
}

absl::StatusOr<GroupResult> Answer(LineTalk& talk, const std::string& line,
                                   const MayLook& may_look) {
  absl::string_view rest = line;
  if (absl::ConsumePrefix(&rest, kTalkResult)) return ParseGroupResult(rest);
  if (absl::ConsumePrefix(&rest, kTalkUnlocked)) return absl::FailedPreconditionError(rest);
  int pid = 0;
  if (absl::ConsumePrefix(&rest, kTalkLook) && absl::SimpleAtoi(rest, &pid)) {
    absl::Status said = talk.Say(may_look(pid) ? kTalkYes : kTalkNo);
    if (!said.ok()) return said;
  } else if (line != kTalkWorking) {
    return absl::InternalError("the check's process says what it should not");
  }
  return absl::NotFoundError("no result yet");
}

bool IsReaped(pid_t pid) {
  const pid_t done = waitpid(pid, nullptr, WNOHANG);
  return done == pid || (done < 0 && errno == ECHILD);
}

}  // namespace

CheckRunner::CheckRunner(CheckRunnerOptions options, std::function<bool()> go_on)
    : options_(std::move(options)), go_on_(std::move(go_on)) {
  PassCapabilitiesOn();
}

absl::StatusOr<GroupResult> CheckRunner::Run(const GroupRequest& request, const MayLook& may_look) {
  stuck_.erase(std::remove_if(stuck_.begin(), stuck_.end(), IsReaped), stuck_.end());
  if (stuck_.size() >= kMostStuck) {
    return absl::UnavailableError(
        absl::StrCat(stuck_.size(),
                     " earlier checks hang in the kernel, in a file system that "
                     "does not answer"));
  }
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return absl::ErrnoToStatus(errno, "no socket for the check");
  }
  const UniqueFd own(sockets[0]);
  UniqueFd other(sockets[1]);
  pid_t pid = 0;
  const int error = Spawn(options_.program, other.get(), pid);
  if (error != 0)
    return absl::InternalError(absl::StrCat("no process for the check: ", strerror(error)));
  other = UniqueFd();
  absl::Cleanup end = [this, pid] { End(pid); };
  LineTalk talk(own.get());
  talk.Say(GroupRequestLine(request)).IgnoreError();  // why it does not listen is heard next
  absl::Time heard = absl::Now();
  while (absl::Now() - heard < options_.silence) {
    if (!go_on_()) return absl::CancelledError("ended");
    const auto line = talk.Hear(kBetweenQuestions);
    if (!line.ok()) return absl::InternalError("the check's process has ended without a result");
    if (!line->has_value()) continue;
    heard = absl::Now();
    auto result = Answer(talk, **line, may_look);
    if (!absl::IsNotFound(result.status())) return result;
  }
  return absl::DeadlineExceededError(absl::StrCat(
      "the check was ended, as it had said nothing for ", absl::FormatDuration(options_.silence)));
}

void CheckRunner::End(pid_t pid) {
  kill(pid, SIGKILL);
  const absl::Time deadline = absl::Now() + kForItsEnd;
  while (!IsReaped(pid)) {
    if (absl::Now() > deadline) return stuck_.push_back(pid);
    absl::SleepFor(absl::Milliseconds(1));
  }
}

}  // namespace pagewarden
