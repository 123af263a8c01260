// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/stopped_process.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "agent/proc/read_file.h"
#include "agent/proof/process_stat.h"

namespace pagewarden {
namespace {

// A running thread stops within microseconds. One that does not is asleep in
// the kernel, where it changes no memory.
constexpr absl::Duration kPatience = absl::Milliseconds(100);
constexpr absl::Duration kPoll = absl::Microseconds(50);
constexpr int kMaxSweeps = 64;  // of a process that keeps starting threads
constexpr size_t kMaxStatusBytes = 64 << 10;

pid_t TracerOf(pid_t pid) {
  const auto text = ReadBoundedFile(absl::StrCat("/proc/", pid, "/status"), kMaxStatusBytes);
  if (!text.ok()) return 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    pid_t tracer = 0;
    if (absl::ConsumePrefix(&line, "TracerPid:") && absl::SimpleAtoi(line, &tracer)) return tracer;
  }
  return 0;
}

std::string YamaHint() {
  const auto text = ReadBoundedFile("/proc/sys/kernel/yama/ptrace_scope", 64);
  int scope = 0;
  if (!text.ok() || !absl::SimpleAtoi(*text, &scope) || scope == 0) return "";
  return absl::StrCat(" (kernel.yama.ptrace_scope is ", scope, ")");
}

absl::Status WhyNotSeized(pid_t pid, int error) {
  if (error == ESRCH) return absl::NotFoundError("no such process");
  if (error != EPERM) return absl::ErrnoToStatus(error, "PTRACE_SEIZE");
  if (const pid_t tracer = TracerOf(pid); tracer != 0) {
    return absl::FailedPreconditionError(absl::StrCat("process ", tracer, " is tracing it"));
  }
  return absl::PermissionDeniedError(absl::StrCat("tracing it is not permitted", YamaHint()));
}

// What waitid(2) has to say of the thread, without waiting. WNOWAIT keeps it
// for whoever asks next.
bool PeekStop(pid_t tid, int flags, siginfo_t& info) {
  info = {};
  return waitid(P_PID, static_cast<id_t>(tid), &info, flags | WNOHANG | __WALL) == 0 &&
         info.si_pid == tid;
}

// A thread that died while it was traced stays a zombie until its tracer has
// looked. The leader of our own child is left for who started it.
void ReapIfDead(pid_t pid, pid_t tid) {
  const auto stat = ReadProcessStat(pid);
  if (tid == pid && stat.ok() && stat->parent == getpid()) return;
  waitpid(tid, nullptr, __WALL | WNOHANG);
}

}  // namespace

StoppedProcess::StoppedProcess(pid_t pid) : pid_(pid), since_(absl::Now()) {}

StoppedProcess::StoppedProcess(StoppedProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      since_(other.since_),
      seized_(std::exchange(other.seized_, {})),
      threads_(std::move(other.threads_)) {}

StoppedProcess::~StoppedProcess() {
  if (pid_ != 0) Release();
}

absl::StatusOr<StoppedProcess> StoppedProcess::Stop(pid_t pid) {
  StoppedProcess stopped(pid);
  absl::Status seized = stopped.SeizeAll();
  if (!seized.ok()) return seized;
  stopped.ReadRegisters();
  return stopped;
}

// A thread may start another one before it is stopped itself: done when a
// listing shows no new one.
absl::Status StoppedProcess::SeizeAll() {
  for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
    bool is_new = false;
    for (const pid_t tid : ListThreads(pid_)) {
      const auto known = std::find_if(seized_.begin(), seized_.end(),
                                      [tid](const Seized& seized) { return seized.tid == tid; });
      if (known != seized_.end()) continue;
      absl::Status seized = Seize(tid);
      if (!seized.ok() && !(absl::IsNotFound(seized) && tid != pid_)) return seized;
      is_new |= seized.ok();
    }
    if (!is_new) break;
    AwaitAll();
  }
  return seized_.empty() ? absl::NotFoundError("no such process") : absl::OkStatus();
}

absl::Status StoppedProcess::Seize(pid_t tid) {
  if (ptrace(PTRACE_SEIZE, tid, 0, 0) != 0) return WhyNotSeized(pid_, errno);
  seized_.push_back({tid, 0, false});
  ptrace(PTRACE_INTERRUPT, tid, 0, 0);
  return absl::OkStatus();
}

void StoppedProcess::AwaitAll() {
  const absl::Time deadline = absl::Now() + kPatience;
  for (Seized& seized : seized_) {
    siginfo_t info;
    while (!seized.is_stopped) {
      if (PeekStop(seized.tid, WSTOPPED, info)) {
        const bool is_our_interrupt = info.si_status >> 8 == PTRACE_EVENT_STOP;
        seized.is_stopped = true;
        seized.pending_signal = is_our_interrupt ? 0 : info.si_status & 0x7f;
      } else if (PeekStop(seized.tid, WEXITED | WNOWAIT, info) || absl::Now() > deadline) {
        break;
      } else {
        absl::SleepFor(kPoll);
      }
    }
  }
}

void StoppedProcess::ReadRegisters() {
  for (const Seized& seized : seized_) {
    Thread thread;
    if (seized.is_stopped && ReadStoppedThread(seized.tid, thread)) threads_.push_back(thread);
  }
}

void StoppedProcess::DetachStopped() {
  const auto is_stopped = [](const Seized& seized) { return seized.is_stopped; };
  for (const Seized& seized : seized_) {
    if (is_stopped(seized)) Detach(seized);
  }
  seized_.erase(std::remove_if(seized_.begin(), seized_.end(), is_stopped), seized_.end());
}

void StoppedProcess::Detach(const Seized& seized) const {
  const bool detached = ptrace(PTRACE_DETACH, seized.tid, 0, seized.pending_signal) == 0;
  if (!detached) ReapIfDead(pid_, seized.tid);
}

absl::Duration StoppedProcess::Release() {
  DetachStopped();
  const absl::Duration held = absl::Now() - since_;
  // The others stop when the kernel lets them go, and only then can be let go.
  AwaitAll();
  DetachStopped();
  for (const Seized& dead : std::exchange(seized_, {})) ReapIfDead(pid_, dead.tid);
  pid_ = 0;
  return held;
}

}  // namespace pagewarden
