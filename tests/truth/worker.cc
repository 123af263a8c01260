// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/worker.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "tests/truth/own_status.h"

namespace truth {
namespace {

StatusFigures OwnFigures(Worker& worker) {
  StatusFigures figures;
  if (!ReadStatusFigures("/proc/thread-self/status", figures)) {
    Complain(worker.board, "slot %u: status: %s", worker.index, strerror(errno));
  }
  return figures;
}

void Write(Worker& worker, const StatusFigures& figures) {
  CgroupBook& book = worker.book();
  Slot& slot = worker.slot();
  book.locked_bytes += figures.locked_bytes - slot.locked_bytes;
  book.peak_bytes = std::max(book.peak_bytes, book.locked_bytes);
  slot.locked_bytes = figures.locked_bytes;
  slot.secret_bytes = worker.model.SecretPages() * kPageBytes;
  slot.locks_future = worker.model.next != Page::kUnlocked;
  slot.peak_bytes = std::max(slot.peak_bytes, slot.locked_bytes);
}

void CheckPinned(Worker& worker, Kind kind, const StatusFigures& figures) {
  if (figures.pinned_bytes == worker.slot().pinned_bytes) return;
  Complain(worker.board, "slot %u after %s: VmPin %llu, expected %llu", worker.index,
           kKindNames[static_cast<uint32_t>(kind)],
           static_cast<unsigned long long>(figures.pinned_bytes),
           static_cast<unsigned long long>(worker.slot().pinned_bytes));
}

}  // namespace

uint64_t Random::Next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void Enter(Worker& worker) {
  if (worker.book().lock.Acquire()) return;
  Complain(worker.board, "slot %u: the lock of cgroup %u is lost", worker.index,
           worker.slot().cgroup);
  _exit(1);
}

void Leave(Worker& worker) { worker.book().lock.Release(); }

void Account(Worker& worker, Kind kind) {
  const StatusFigures figures = OwnFigures(worker);
  const uint64_t expected = worker.model.LockedPages() * kPageBytes + worker.slot().leaked_bytes;
  if (figures.locked_bytes != expected) {
    Complain(worker.board, "slot %u after %s: VmLck %llu, expected %llu", worker.index,
             kKindNames[static_cast<uint32_t>(kind)],
             static_cast<unsigned long long>(figures.locked_bytes),
             static_cast<unsigned long long>(expected));
  }
  CheckPinned(worker, kind, figures);
  Write(worker, figures);
}

void AccountOutside(Worker& worker, Kind kind) {
  const StatusFigures figures = OwnFigures(worker);
  worker.model.outside_pages = 0;
  worker.model.outside_pages =
      (figures.locked_bytes - worker.slot().leaked_bytes) / kPageBytes - worker.model.LockedPages();
  CheckPinned(worker, kind, figures);
  Write(worker, figures);
}

void AccountLeak(Worker& worker) {
  const StatusFigures figures = OwnFigures(worker);
  worker.slot().leaked_bytes = figures.locked_bytes - worker.model.LockedPages() * kPageBytes;
  Write(worker, figures);
}

void Expect(Worker& worker, Kind kind, int errno_value, int returned_errno) {
  if (returned_errno != 0) ++worker.board.refused;
  if (errno_value == returned_errno) return;
  Complain(worker.board, "slot %u, %s: got %s, expected %s", worker.index,
           kKindNames[static_cast<uint32_t>(kind)], strerrorname_np(returned_errno),
           strerrorname_np(errno_value));
}

}  // namespace truth
