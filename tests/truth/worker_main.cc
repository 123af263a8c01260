// SPDX-License-Identifier: Apache-2.0
// truth-worker BOARD-FD SLOT: started by the driver, ground_truth.cc.
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "tests/truth/worker.h"

namespace truth {
namespace {

constexpr uint32_t kMeanPauseMicroseconds = 40 * 1000;
constexpr uint32_t kPauseMicroseconds = 1000 * 1000;
constexpr rlim_t kSmallLimit = 1 << 20;  // so that some calls are over it
constexpr size_t kStackBytes = 64 << 10;

struct Operation {
  Kind kind;
  uint32_t weight;
  void (*run)(Worker&);
};

constexpr Operation kOperations[] = {
    {Kind::kMap, 16, Map},
    {Kind::kReplace, 5, Replace},
    {Kind::kUnmap, 14, Unmap},
    {Kind::kRemap, 10, Remap},
    {Kind::kBreak, 6, Break},
    {Kind::kLock, 18, Lock},
    {Kind::kLockOnFault, 6, LockOnFault},
    {Kind::kUnlock, 10, Unlock},
    {Kind::kLockAll, 3, LockAll},
    {Kind::kUnlockAll, 2, UnlockAll},
    {Kind::kSecret, 4, Secret},
    {Kind::kSharedMemory, 6, SharedMemory},
    {Kind::kRing, 6, Ring},
    {Kind::kMigrate, 2, Migrate},
    {Kind::kThread, 2, Thread},
    {Kind::kForkWorker, 2, ForkWorker},
    {Kind::kForkTransient, 2, ForkTransient},
    {Kind::kExec, 1, Exec},
    {Kind::kExit, 1, Exit},
};

// Lives through the whole run: the drift of an exited process cannot be shown.
constexpr Operation kLeakingOperations[] = {
    {Kind::kLeak, 4, Leak},     {Kind::kMap, 2, Map},         {Kind::kUnmap, 2, Unmap},
    {Kind::kUnlock, 2, Unlock}, {Kind::kMigrate, 1, Migrate},
};

// Where the first thread has ended, migration and execve would be those of a corpse.
constexpr Operation kLeaderlessOperations[] = {
    {Kind::kMap, 4, Map},
    {Kind::kUnmap, 3, Unmap},
    {Kind::kRemap, 2, Remap},
    {Kind::kLock, 4, Lock},
    {Kind::kUnlock, 3, Unlock},
    {Kind::kLockAll, 1, LockAll},
    {Kind::kUnlockAll, 1, UnlockAll},
    {Kind::kRing, 1, Ring},
};

template <size_t N>
const Operation& Choose(Random& random, const Operation (&operations)[N]) {
  uint32_t total = 0;
  for (const Operation& operation : operations) total += operation.weight;
  uint32_t at = random.Below(total);
  for (const Operation& operation : operations) {
    if (at < operation.weight) return operation;
    at -= operation.weight;
  }
  return operations[0];
}

const Operation& ChooseFor(Worker& worker) {
  if (worker.slot().leaks != 0) return Choose(worker.random, kLeakingOperations);
  if (worker.slot().leaderless != 0) return Choose(worker.random, kLeaderlessOperations);
  return Choose(worker.random, kOperations);
}

// Under a locked stack, growth is locked too; so it has grown before.
__attribute__((noinline)) void TouchStack() {
  volatile char below[kStackBytes];
  for (size_t i = 0; i < sizeof(below); i += 1024) below[i] = 0;
}

bool HasLockCapability() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  return syscall(SYS_capget, &header, data) == 0 && ((data[0].effective >> CAP_IPC_LOCK) & 1) != 0;
}

bool IsPausing(const Board& board) { return (board.stop.load() & 1) != 0; }

void PauseWhileAsked(Worker& worker) {
  Board& board = worker.board;
  do {
    while (IsPausing(board)) {
      worker.slot().state = SlotState::kPaused;
      const uint32_t seen = board.stop.load();
      if ((seen & 1) != 0) WaitWhile(board.stop, seen, kPauseMicroseconds);
    }
    worker.slot().state = SlotState::kRunning;
  } while (IsPausing(board));  // asked again before anyone could see that it went on
}

[[noreturn]] void Live(Worker& worker) {
  for (;;) {
    PauseWhileAsked(worker);
    const Operation& operation = ChooseFor(worker);
    ++worker.board.operations[static_cast<uint32_t>(operation.kind)];
    operation.run(worker);
    const uint32_t seen = worker.board.stop.load();
    if ((seen & 1) == 0) {
      WaitWhile(worker.board.stop, seen, worker.random.Below(2 * kMeanPauseMicroseconds));
    }
  }
}

int LiveInThread(void* worker) { Live(*static_cast<Worker*>(worker)); }

// Goes on in a second thread. `worker` is in the memory of the first one's stack, which stays.
[[noreturn]] void LiveWithoutLeader(Worker& worker) {
  constexpr int kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  alignas(16) static char stack[kStackBytes];
  if (clone(LiveInThread, stack + sizeof(stack), kFlags, &worker) < 0) {
    Complain(worker.board, "slot %u: clone failed", worker.index);
  }
  for (;;) syscall(SYS_exit, 0);
}

// As at the start of a program: everything below is new.
void SetUpModel(Worker& worker) {
  const uint64_t now = static_cast<uint64_t>(syscall(SYS_brk, nullptr));
  Model& model = worker.model;
  model.break_address = (now + kPageBytes - 1) / kPageBytes * kPageBytes;
  syscall(SYS_brk, model.break_address);
  model.regions[0].content = Content::kBreak;
}

}  // namespace

void BeginLife(Worker& worker) {
  Slot& slot = worker.slot();
  if (slot.executing != 0) {
    worker.book().locked_bytes -= slot.locked_bytes;
  } else {
    slot.peak_bytes = 0;
  }
  slot.locked_bytes = slot.pinned_bytes = slot.charged_bytes = slot.leaked_bytes = 0;
  slot.secret_bytes = 0;
  slot.locks_future = 0;
  slot.user = getuid();
  slot.pid = getpid();
  ++slot.generation;
  worker.random = Random(worker.board.seed ^ (uint64_t{worker.index} << 40) ^ slot.generation);
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (slot.unprivileged != 0) {
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, kSmallLimit << worker.random.Below(4));
    setrlimit(RLIMIT_MEMLOCK, &limit);
  }
  worker.model.limit_pages = limit.rlim_cur / kPageBytes;
  worker.model.has_capability = HasLockCapability();
  char name[16];
  snprintf(name, sizeof(name), "truth-%u", worker.index);
  prctl(PR_SET_NAME, name);
  if (slot.executing != 0) {
    slot.executing = 0;
    Leave(worker);
  }
}

int Run(int fd, uint32_t index) {
  Board* const board = MapBoard(fd);
  if (board == nullptr || index >= board->slots) return 2;
  Worker worker{*board, index, Random(0)};
  if (worker.slot().unprivileged != 0 && getuid() == 0 &&
      setresuid(board->user, board->user, board->user) != 0) {
    Complain(*board, "slot %u: setresuid failed", index);
    return 1;
  }
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);  // a huge page would be pinned whole
  TouchStack();
  SetUpModel(worker);
  BeginLife(worker);
  if (worker.slot().leaderless != 0) LiveWithoutLeader(worker);
  Live(worker);
}

}  // namespace truth

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return truth::Run(atoi(argv[1]), static_cast<uint32_t>(atoi(argv[2])));
}
