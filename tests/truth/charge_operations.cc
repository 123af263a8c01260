// SPDX-License-Identifier: Apache-2.0
// Operations that charge what VmLck does not show: segments of System V and buffers of
// io_uring. By raw system calls: liburing maps memory of its own.
#include <errno.h>
#include <linux/io_uring.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/truth/own_status.h"
#include "tests/truth/worker.h"

namespace truth {
namespace {

constexpr uint32_t kLargestSegment = 16;
constexpr uint32_t kLargestBuffer = 16;
constexpr int kWaitsForKernel = 2000;  // of a millisecond

void MakeSegment(Worker& worker, uint32_t number) {
  Segment& segment = worker.slot().segments[number];
  const uint32_t pages = worker.random.From(1, kLargestSegment);
  const int key = worker.board.first_key + static_cast<int>(worker.index * kSegmentsASlot + number);
  const int id = shmget(key, pages * kPageBytes, IPC_CREAT | IPC_EXCL | 0600);
  Expect(worker, Kind::kSharedMemory, 0, id >= 0 ? 0 : errno);
  if (id >= 0) segment = {id, pages, 0};
}

// Who has no capability may be over the limit with the segments of all slots.
void ControlSegment(Worker& worker, Segment& segment, int command) {
  const int error = shmctl(segment.id, command, nullptr) == 0 ? 0 : errno;
  if (error == 0) {
    segment.locked = command == SHM_LOCK;
    if (command == IPC_RMID) segment = {};
  }
  const bool may_be_over = command == SHM_LOCK && worker.slot().unprivileged != 0;
  Expect(worker, Kind::kSharedMemory, may_be_over && error == ENOMEM ? ENOMEM : 0, error);
}

uint32_t PickBufferRegion(Worker& worker) {
  const uint32_t start = worker.random.Below(kRegions);
  for (uint32_t i = 0; i < kRegions; ++i) {
    const uint32_t picked = (start + i) % kRegions;
    const Region& region = worker.model.regions[picked];
    if (region.content == Content::kAnonymous && region.IsUniform()) return picked;
  }
  return kRegions;
}

void OpenRing(Worker& worker) {
  io_uring_params parameters = {};
  worker.ring_fd = static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters));
  const int error = worker.ring_fd >= 0 ? 0 : errno;
  const bool may_be_over = worker.slot().unprivileged != 0 && error == ENOMEM;
  Expect(worker, Kind::kRing, may_be_over ? ENOMEM : 0, error);
}

void Charge(Worker& worker) {
  Slot& slot = worker.slot();
  const uint64_t buffer = worker.registered_pages * kPageBytes;
  const Kernel& kernel = worker.board.kernel;
  const bool pins = slot.unprivileged != 0 || kernel.pins_with_capability != 0;
  slot.pinned_bytes = pins ? buffer : 0;
  if (slot.unprivileged == 0) return;
  slot.charged_bytes = buffer + (worker.ring_fd >= 0 ? kernel.ring_pages * kPageBytes : 0);
}

void Register(Worker& worker) {
  const uint32_t picked = PickBufferRegion(worker);
  if (picked == kRegions) return;
  const uint32_t most = worker.model.regions[picked].pages;
  const uint32_t pages = worker.random.From(1, most < kLargestBuffer ? most : kLargestBuffer);
  iovec buffer = {reinterpret_cast<void*>(worker.model.AddressOf(picked)), pages * kPageBytes};
  const long result =
      syscall(SYS_io_uring_register, worker.ring_fd, IORING_REGISTER_BUFFERS, &buffer, 1);
  const int error = result == 0 ? 0 : errno;
  const bool may_be_over = worker.slot().unprivileged != 0 && error == ENOMEM;
  Expect(worker, Kind::kRing, may_be_over ? ENOMEM : 0, error);
  if (error == 0) worker.registered_pages = pages;
}

// The kernel releases a closed ring by a worker of its own, a little later.
void AwaitUnpinned() {
  StatusFigures figures;
  for (int i = 0; i < kWaitsForKernel; ++i) {
    if (!ReadStatusFigures("/proc/thread-self/status", figures) || figures.pinned_bytes == 0)
      return;
    usleep(1000);
  }
}

void CloseRing(Worker& worker) {
  close(worker.ring_fd);
  worker.ring_fd = -1;
  worker.registered_pages = 0;
  AwaitUnpinned();
}

void Unregister(Worker& worker) {
  const long result =
      syscall(SYS_io_uring_register, worker.ring_fd, IORING_UNREGISTER_BUFFERS, nullptr, 0);
  Expect(worker, Kind::kRing, 0, result == 0 ? 0 : errno);
  worker.registered_pages = 0;
}

}  // namespace

void SharedMemory(Worker& worker) {
  const uint32_t number = worker.random.Below(kSegmentsASlot);
  Segment& segment = worker.slot().segments[number];
  if (segment.pages == 0) return MakeSegment(worker, number);
  const uint32_t choice = worker.random.Below(5);
  ControlSegment(worker, segment, choice == 0 ? IPC_RMID : choice < 3 ? SHM_LOCK : SHM_UNLOCK);
}

void Ring(Worker& worker) {
  if (worker.board.kernel.has_rings == 0) return;
  Enter(worker);
  if (worker.ring_fd < 0) OpenRing(worker);
  if (worker.ring_fd >= 0) {
    if (worker.registered_pages == 0) {
      Register(worker);
    } else if (worker.random.Chance(50)) {
      Unregister(worker);
    } else {
      CloseRing(worker);
    }
  }
  Charge(worker);
  Account(worker, Kind::kRing);
  Leave(worker);
}

void CloseInheritedRing(Worker& worker) {
  if (worker.ring_fd >= 0) close(worker.ring_fd);
  worker.ring_fd = -1;
  worker.registered_pages = 0;
}

}  // namespace truth
