// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/fleet.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace truth {
namespace {

constexpr uint32_t kSlotsLeftForForks = 8;

// In the child, between fork and execve.
[[noreturn]] void BecomeWorker(const Board& board, const Slot& slot, int board_fd) {
  const std::string index = absl::StrCat(&slot - board.of);
  const std::string fd = absl::StrCat(kBoardFd);
  char* const arguments[] = {const_cast<char*>("truth-worker"), const_cast<char*>(fd.c_str()),
                             const_cast<char*>(index.c_str()), nullptr};
  char* const no_environment[] = {nullptr};
  if (pwrite(board.processes_fds[slot.cgroup], "0", 1, 0) == 1 &&
      dup2(board_fd, kBoardFd) == kBoardFd) {
    fexecve(board.program_fd, arguments, no_environment);
  }
  _exit(126);
}

}  // namespace

absl::Status Fleet::Start(Slot& slot) {
  slot.cgroup = static_cast<uint32_t>(random_ >> 33) % kCgroups;
  random_ = random_ * 6364136223846793005u + board_.seed * 2 + 1;
  slot.state = SlotState::kStarting;
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) BecomeWorker(board_, slot, board_fd_);
  slot.pid = pid;
  return absl::OkStatus();
}

// A worker that ends holds the lock of its cgroup: its memory is gone before anyone
// else there changes the sum.
absl::Status Fleet::Close(pid_t pid, int status) {
  for (uint32_t i = 0; i < board_.slots; ++i) {
    Slot& slot = board_.of[i];
    if (slot.pid != pid) continue;
    if (slot.state != SlotState::kExiting) {
      return absl::InternalError(absl::StrCat("slot ", i, ": died with status ", status));
    }
    board_.cgroups[slot.cgroup].locked_bytes -= slot.locked_bytes;
    slot.locked_bytes = slot.peak_bytes = slot.pinned_bytes = slot.charged_bytes = 0;
    slot.pid = 0;
    board_.cgroups[slot.cgroup].lock.Release();
    slot.state = SlotState::kFree;
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat("pid ", pid, " of no slot ended, status ", status));
}

absl::Status Fleet::Fill() {
  const bool pausing = (board_.stop & 1) != 0;
  uint32_t left = 0;
  for (uint32_t i = 0; i < board_.slots; ++i) {
    SlotState expected = SlotState::kFree;
    if (board_.of[i].state != SlotState::kFree) continue;
    if (!pausing && left++ < kSlotsLeftForForks) continue;
    if (!board_.of[i].state.compare_exchange_strong(expected, SlotState::kStarting)) continue;
    if (absl::Status status = Start(board_.of[i]); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Fleet::Tend() {
  int status = 0;
  while (const pid_t pid = waitpid(-1, &status, WNOHANG)) {
    if (pid < 0) break;  // no child yet
    if (absl::Status closed = Close(pid, status); !closed.ok()) return closed;
  }
  if (board_.errors > 0) {
    return absl::InternalError(absl::StrCat(
        board_.errors.load(), " errors, the first: ", std::string(board_.first_error)));
  }
  return Fill();
}

bool Fleet::AllPaused() const {
  for (uint32_t i = 0; i < board_.slots; ++i) {
    if (board_.of[i].state != SlotState::kPaused) return false;
  }
  return true;
}

absl::Status Fleet::Pause() {
  if ((board_.stop & 1) == 0) ++board_.stop;
  WakeAll(board_.stop);
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (!AllPaused()) {
    if (absl::Status status = Tend(); !status.ok()) return status;
    if (absl::Now() > deadline) return absl::DeadlineExceededError("the workers do not pause");
    absl::SleepFor(absl::Milliseconds(2));
  }
  return absl::OkStatus();
}

void Fleet::Resume() {
  ++board_.stop;
  WakeAll(board_.stop);
}

}  // namespace truth
