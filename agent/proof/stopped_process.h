// SPDX-License-Identifier: Apache-2.0
// Holds a process still while it is looked at.
//
//   auto stopped = StoppedProcess::Stop(pid);
//   if (!stopped.ok()) return stopped.status();
//   Look(pid, stopped->threads());
//   stopped->Release();
//
// By PTRACE_SEIZE and PTRACE_INTERRUPT (ptrace(2)): no signal is sent, nothing
// that waits for the process notices, a process stopped by job control stays so,
// and if this program dies the kernel lets go of all threads. Stop and Release
// must be called by one thread.
#pragma once

#include <sys/types.h>

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/proof/threads.h"

namespace pagewarden {

class StoppedProcess {
 public:
  // NotFound: gone. PermissionDenied: another user's, or forbidden by Yama.
  // FailedPrecondition: traced already, by whom the message says. After an error
  // the process runs on.
  static absl::StatusOr<StoppedProcess> Stop(pid_t pid);

  StoppedProcess(StoppedProcess&& other) noexcept;
  StoppedProcess& operator=(StoppedProcess&&) = delete;
  ~StoppedProcess();  // releases it

  // All but those that the kernel keeps from running anyway and that therefore
  // did not answer: in an uninterruptible wait, or a parent in vfork(2).
  const std::vector<Thread>& threads() const { return threads_; }

  // Lets it run; returns for how long it was held. Once only.
  absl::Duration Release();

 private:
  struct Seized {
    pid_t tid = 0;
    int pending_signal = 0;  // that the stop came before: to be delivered
    bool is_stopped = false;
  };

  explicit StoppedProcess(pid_t pid);
  absl::Status SeizeAll();
  absl::Status Seize(pid_t tid);
  void AwaitAll();
  void ReadRegisters();
  void DetachStopped();
  void Detach(const Seized& seized) const;

  pid_t pid_;
  absl::Time since_;
  std::vector<Seized> seized_;
  std::vector<Thread> threads_;
};

}  // namespace pagewarden
