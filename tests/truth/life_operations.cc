// SPDX-License-Identifier: Apache-2.0
// Operations on processes: where they are, and how they come and go.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/truth/own_status.h"
#include "tests/truth/worker.h"

namespace truth {
namespace {

// fork(2) of the C library knows no CLONE_PARENT, by which the driver reaps them all.
pid_t Clone(unsigned long flags) {
  return static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, 0));
}

// A slot that nobody has now, and that may run what this one runs; or kMaxSlots.
uint32_t TakeFreeSlot(Worker& worker) {
  Board& board = worker.board;
  for (uint32_t i = 0; i < board.slots; ++i) {
    SlotState expected = SlotState::kFree;
    if (board.of[i].unprivileged != worker.slot().unprivileged) continue;
    if (board.of[i].state.compare_exchange_strong(expected, SlotState::kStarting)) return i;
  }
  return kMaxSlots;
}

bool WriteOwnPid(int fd) { return pwrite(fd, "0", 1, 0) == 1; }

void MoveBooks(Worker& worker, uint32_t to) {
  Board& board = worker.board;
  Slot& slot = worker.slot();
  CgroupBook& target = board.cgroups[to];
  board.cgroups[slot.cgroup].locked_bytes -= slot.locked_bytes;
  target.locked_bytes += slot.locked_bytes;
  target.peak_bytes = std::max(target.peak_bytes, target.locked_bytes);
  slot.cgroup = to;
}

[[noreturn]] void EndBySignalOr(bool by_signal, int code) {
  if (by_signal) kill(getpid(), SIGKILL);
  _exit(code);
}

// In the child: fresh memory, since what it has is shared with its parent until written.
[[noreturn]] void LiveAsTransient(Worker& worker, uint32_t pages, bool by_signal) {
  StatusFigures figures;
  const uint64_t bytes = pages * kPageBytes;
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mlock(memory, bytes) != 0 ||
      !ReadStatusFigures("/proc/thread-self/status", figures) || figures.locked_bytes != bytes) {
    Complain(worker.board, "child of slot %u: VmLck %llu, expected %llu", worker.index,
             static_cast<unsigned long long>(figures.locked_bytes),
             static_cast<unsigned long long>(bytes));
  }
  worker.slot().child_bytes = figures.locked_bytes;
  EndBySignalOr(by_signal, 0);
}

int SleepForever(void*) {
  for (;;) pause();
}

alignas(16) char thread_stack[4096];

}  // namespace

void Thread(Worker& worker) {
  if (worker.has_thread) return;
  constexpr int kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  Enter(worker);
  const int thread = clone(SleepForever, thread_stack + sizeof(thread_stack), kFlags, nullptr);
  Expect(worker, Kind::kThread, 0, thread > 0 ? 0 : errno);
  worker.has_thread = thread > 0;
  Account(worker, Kind::kThread);
  Leave(worker);
}

void Migrate(Worker& worker) {
  Board& board = worker.board;
  const uint32_t from = worker.slot().cgroup;
  const uint32_t to = worker.random.Below(kCgroups);
  if (to == from) return;
  SharedLock& first = board.cgroups[std::min(from, to)].lock;
  SharedLock& second = board.cgroups[std::max(from, to)].lock;
  if (!first.Acquire() || !second.Acquire()) {
    Complain(board, "slot %u: a lock is lost", worker.index);
    _exit(1);
  }
  const bool moved = WriteOwnPid(board.processes_fds[to]);
  Expect(worker, Kind::kMigrate, 0, moved ? 0 : errno);
  if (moved) MoveBooks(worker, to);
  Account(worker, Kind::kMigrate);
  second.Release();
  first.Release();
}

void ForkWorker(Worker& worker) {
  const uint32_t index = TakeFreeSlot(worker);
  if (index == kMaxSlots) return;
  Slot& slot = worker.board.of[index];
  Enter(worker);
  slot.cgroup = worker.slot().cgroup;
  const pid_t child = Clone(CLONE_PARENT | SIGCHLD);
  if (child == 0) {
    worker.index = index;
    worker.has_thread = false;
    CloseInheritedRing(worker);
    worker.model.Fork();
    BeginLife(worker);
    return;
  }
  Expect(worker, Kind::kForkWorker, 0, child > 0 ? 0 : errno);
  if (child > 0) {
    slot.pid = child;
  } else {
    slot.state = SlotState::kFree;
  }
  Account(worker, Kind::kForkWorker);
  Leave(worker);
}

void ForkTransient(Worker& worker) {
  Slot& slot = worker.slot();
  const uint32_t pages = worker.random.From(1, 64);
  const bool by_signal = worker.random.Chance(30);
  Enter(worker);
  slot.child_bytes = 0;
  const pid_t child = Clone(SIGCHLD);
  if (child == 0) LiveAsTransient(worker, pages, by_signal);
  Expect(worker, Kind::kForkTransient, 0, child > 0 ? 0 : errno);
  if (child > 0 && waitpid(child, nullptr, 0) == child) {
    CgroupBook& book = worker.book();
    book.peak_bytes = std::max(book.peak_bytes, book.locked_bytes + slot.child_bytes);
  }
  Account(worker, Kind::kForkTransient);
  Leave(worker);
}

void Exec(Worker& worker) {
  char board[16];
  char index[16];
  snprintf(board, sizeof(board), "%d", kBoardFd);
  snprintf(index, sizeof(index), "%u", worker.index);
  char* const arguments[] = {const_cast<char*>("truth-worker"), board, index, nullptr};
  char* const no_environment[] = {nullptr};
  Enter(worker);
  worker.slot().executing = 1;
  syscall(SYS_execveat, worker.board.program_fd, "", arguments, no_environment, AT_EMPTY_PATH);
  Complain(worker.board, "slot %u: execveat: %s", worker.index, strerrorname_np(errno));
  _exit(1);
}

void Exit(Worker& worker) {
  const bool by_signal = worker.random.Chance(30);
  Enter(worker);
  worker.slot().state = SlotState::kExiting;  // the driver gives the lock back
  EndBySignalOr(by_signal, 0);
}

}  // namespace truth
