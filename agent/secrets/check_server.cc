// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/check_server.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <new>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/base/exit_codes.h"
#include "agent/proof/guarded_process.h"
#include "agent/proof/secret_bytes.h"
#include "agent/secrets/check_talk.h"
#include "agent/secrets/group_check.h"
#include "agent/secrets/group_json.h"

namespace pagewarden {
namespace {

constexpr int kLowestPriority = 19;
// ioprio_set(2); the kernel's header for it is not C++.
constexpr int kIoprioWhoProcess = 1;
constexpr int kIoprioIdle = 3 << 13;
constexpr absl::Duration kForTheRequest = absl::Minutes(1);
constexpr absl::Duration kBetweenSigns = absl::Seconds(1);

// This thread, once the process has started: that must not take for ever on a busy machine. Not
// SCHED_IDLE: whoever reads another process's memory holds the lock of its mappings for a moment,
// and under that policy may be kept from going on for as long as others are busy.
void YieldToOthers() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowestPriority);
  syscall(SYS_ioprio_set, kIoprioWhoProcess, 0, kIoprioIdle);
}

class CheckServer {
 public:
  explicit CheckServer(int socket) : talk_(socket) {}

  absl::Status Serve() {
    const absl::Status guarded = GuardProcess();
    if (!guarded.ok()) return talk_.Say(absl::StrCat(kTalkUnlocked, guarded.message()));
    RequireLockedPages();
    const auto line = talk_.Hear(kForTheRequest);
    if (!line.ok()) return line.status();
    const auto request = ParseGroupRequest(line->value_or(""));
    if (!request.ok()) return request.status();
    absl::Status status;
    const absl::Status run = OnGuardedStack([&] { status = Check(*request); });
    return run.ok() ? status : talk_.Say(absl::StrCat(kTalkUnlocked, run.message()));
  }

 private:
  absl::Status Check(const GroupRequest& request) {
    YieldToOthers();
    try {
      Pacer pacer(request.duty, [this] { GiveSign(); });
      const auto result = CheckGroup(
          request, [this](pid_t pid) { return MayLookAt(pid); }, pacer);
      if (!result.ok()) return result.status();
      return talk_.Say(absl::StrCat(kTalkResult, GroupResultLine(*result)));
    } catch (const std::bad_alloc&) {
      return talk_.Say(absl::StrCat(kTalkUnlocked, "not as much memory can be locked as the ",
                                    "secrets need: RLIMIT_MEMLOCK is too low"));
    }
  }

  // The runner ends a process that says nothing any more; whether it hears is for the result.
  void GiveSign() {
    const absl::Time now = absl::Now();
    if (now - last_sign_ < kBetweenSigns) return;
    last_sign_ = now;
    talk_.Say(kTalkWorking).IgnoreError();
  }

  bool MayLookAt(pid_t pid) {
    if (!talk_.Say(absl::StrCat(kTalkLook, pid)).ok()) return false;
    const auto answer = talk_.Hear(kForTheRequest);
    return answer.ok() && *answer == kTalkYes;
  }

  LineTalk talk_;
  absl::Time last_sign_ = absl::Now();
};

}  // namespace

int ServeSecretCheck(int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return CheckServer(socket).Serve().ok() ? kExitClean : kExitPartialData;
}

}  // namespace pagewarden
