// SPDX-License-Identifier: Apache-2.0
#include "recorder/ledger.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/blocks.h"
#include "recorder/detector.h"
#include "recorder/next.h"
#include "recorder/session.h"
#include "recorder/stacks.h"

namespace pagewarden::recorder {
namespace {

bool started = false;
__attribute__((tls_model("initial-exec"))) thread_local bool inside = false;

// Keeps the recorder's own calls, and those of a signal handler that interrupts
// it, out of its books; and errno as the program left it.
class Guard {
 public:
  Guard() : enters_(started && !inside), errno_(errno) {
    if (enters_) inside = true;
  }
  ~Guard() {
    if (enters_) inside = false;
    errno = errno_;
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  bool enters() const { return enters_; }

 private:
  bool enters_;
  int errno_;
};

void CountIfHit(const rec::Block& block) {
  if (block.kind != rec::BlockKind::kHeap) return;
  if (HoldsSecret(reinterpret_cast<const void*>(block.address), block.bytes)) {
    CountHit(block.stack, block.requested);
  }
}

void InChild() {
  ClaimChildRow();
  UnlockBlocks();
}

__attribute__((constructor)) void Start() {
  const char* const path = getenv(rec::kVariable);
  if (path == nullptr || FindNext() == nullptr || !StartSession(path)) return;
  PrimeUnwinder();
  pthread_atfork(LockBlocks, UnlockBlocks, InChild);
  started = true;
}

// What a process that exits leaves in its blocks was a copy as long as it ran.
__attribute__((destructor)) void Finish() {
  const Guard guard;
  if (guard.enters() && session.IsRecording()) VisitBlocks(CountIfHit);
}

}  // namespace

void NoteAllocation(void* block, size_t requested, size_t bytes, rec::BlockKind kind) {
  if (block == nullptr) return;
  const Guard guard;
  if (!guard.enters()) return;
  if (kind == rec::BlockKind::kHeap) CountAllocation();
  if (!session.IsRecording()) return;
  const uint32_t stack = CaptureStack(requested);
  AddBlock({reinterpret_cast<uint64_t>(block), bytes, stack, kind, requested});
}

bool NoteEnd(void* block, rec::Block* was) {
  const Guard guard;
  was->address = 0;
  if (!guard.enters() || !session.IsRecording() || !RemoveBlock(block, was)) return false;
  if (was->kind != rec::BlockKind::kHeap || !HoldsSecret(block, was->bytes)) return false;
  CountHit(was->stack, was->requested);
  return true;
}

void NoteStays(const rec::Block& block) {
  const Guard guard;
  if (guard.enters() && block.address != 0) AddBlock(block);
}

}  // namespace pagewarden::recorder
