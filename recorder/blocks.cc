// SPDX-License-Identifier: Apache-2.0
#include "recorder/blocks.h"

#include <pthread.h>
#include <sys/mman.h>

#include "recorder/session.h"

namespace pagewarden::recorder {
namespace {

constexpr uint64_t kFirstSlots = 1 << 14;

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
rec::Block* table = nullptr;
uint64_t slots = 0;  // a power of two
uint64_t used = 0;

uint64_t Home(uint64_t address) {
  return (address >> 4) * uint64_t{0x9e3779b97f4a7c15} >> 20 & (slots - 1);
}

// Where `address` is, or would be.
uint64_t Find(uint64_t address) {
  uint64_t at = Home(address);
  while (table[at].address != 0 && table[at].address != address) at = (at + 1) & (slots - 1);
  return at;
}

void Publish() {
  if (session.process == nullptr) return;
  __atomic_store_n(&session.process->block_slots, 0, __ATOMIC_RELEASE);
  __atomic_store_n(&session.process->blocks, reinterpret_cast<uint64_t>(table), __ATOMIC_RELEASE);
  __atomic_store_n(&session.process->block_slots, slots, __ATOMIC_RELEASE);
}

// False: no memory; the old table stays.
bool Grow() {
  rec::Block* const old = table;
  const uint64_t old_slots = slots;
  const uint64_t new_slots = old == nullptr ? kFirstSlots : 2 * slots;
  void* memory = mmap(nullptr, new_slots * sizeof(rec::Block), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  table = static_cast<rec::Block*>(memory);
  slots = new_slots;
  for (uint64_t i = 0; i < old_slots; ++i) {
    if (old[i].address != 0) table[Find(old[i].address)] = old[i];
  }
  Publish();
  if (old != nullptr) munmap(old, old_slots * sizeof(rec::Block));
  return true;
}

// Closes the gap at `at`, so that no search ends there too early.
void Erase(uint64_t at) {
  for (uint64_t next = (at + 1) & (slots - 1); table[next].address != 0;
       next = (next + 1) & (slots - 1)) {
    const uint64_t distance = (next - Home(table[next].address)) & (slots - 1);
    if (distance < ((next - at) & (slots - 1))) continue;
    table[at] = table[next];
    at = next;
  }
  table[at] = {};
  --used;
}

}  // namespace

void AddBlock(const rec::Block& block) {
  LockBlocks();
  if (2 * (used + 1) <= slots || Grow()) {
    rec::Block& slot = table[Find(block.address)];
    if (slot.address == 0) ++used;
    slot = block;
  }
  UnlockBlocks();
}

bool RemoveBlock(const void* address, rec::Block* block) {
  LockBlocks();
  bool found = false;
  if (slots != 0) {
    const uint64_t at = Find(reinterpret_cast<uint64_t>(address));
    found = table[at].address != 0;
    if (found) {
      *block = table[at];
      Erase(at);
    }
  }
  UnlockBlocks();
  return found;
}

void VisitBlocks(void (*visit)(const rec::Block& block)) {
  LockBlocks();
  for (uint64_t i = 0; i < slots; ++i) {
    if (table[i].address != 0) visit(table[i]);
  }
  UnlockBlocks();
}

void LockBlocks() { pthread_mutex_lock(&mutex); }
void UnlockBlocks() { pthread_mutex_unlock(&mutex); }

}  // namespace pagewarden::recorder
