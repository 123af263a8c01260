// SPDX-License-Identifier: Apache-2.0
// The worker processes, seen by their parent: all of them are children of the driver,
// which reaps them, closes their books and fills their slots again.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/truth/board.h"

namespace truth {

class Fleet {
 public:
  Fleet(Board& board, int board_fd) : board_(board), board_fd_(board_fd) {}

  // Reaps who has ended; of the slots that got free some are filled at once, and some
  // left for a fork. Cheap; to be called often. Error: a worker died that should not
  // have, or complained.
  absl::Status Tend();

  // Until every slot has a process and all of them hold still. DeadlineExceeded: not so
  // after a minute.
  absl::Status Pause();
  void Resume();

 private:
  absl::Status Start(Slot& slot);
  absl::Status Close(pid_t pid, int status);
  absl::Status Fill();
  bool AllPaused() const;

  Board& board_;
  int board_fd_;
  uint64_t random_ = 1;
};

}  // namespace truth
