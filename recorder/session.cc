// SPDX-License-Identifier: Apache-2.0
#include "recorder/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pagewarden::recorder {

Session session;

namespace {

template <typename Record>
Record* TableAt(char* base, const rec::Table& table, uint64_t file_bytes) {
  if (table.offset > file_bytes || table.count > (file_bytes - table.offset) / sizeof(Record)) {
    return nullptr;
  }
  return reinterpret_cast<Record*>(base + table.offset);
}

char* MapFile(const char* path, uint64_t& bytes) {
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  struct stat info;
  void* base = MAP_FAILED;
  if (fstat(fd, &info) == 0 && info.st_size >= static_cast<off_t>(sizeof(rec::Header))) {
    bytes = static_cast<uint64_t>(info.st_size);
    base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  return base == MAP_FAILED ? nullptr : static_cast<char*>(base);
}

bool IsFree(const rec::Process& row, int32_t pid) {
  return pid == 0 || (kill(pid, 0) != 0 && errno == ESRCH) || row.pid == 0;
}

// A row that nobody has, or whose process is gone; null when all are taken.
rec::Process* ClaimRow(int32_t self) {
  for (uint64_t i = 0; i < session.header->processes.count; ++i) {
    rec::Process& row = session.processes[i];
    int32_t owner = __atomic_load_n(&row.pid, __ATOMIC_ACQUIRE);
    if (owner != self && owner != 0) continue;
    if (__atomic_compare_exchange_n(&row.pid, &owner, self, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED)) {
      return &row;
    }
  }
  for (uint64_t i = 0; i < session.header->processes.count; ++i) {
    rec::Process& row = session.processes[i];
    int32_t owner = __atomic_load_n(&row.pid, __ATOMIC_ACQUIRE);
    if (!IsFree(row, owner)) continue;
    if (__atomic_compare_exchange_n(&row.pid, &owner, self, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED)) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace

bool StartSession(const char* path) {
  uint64_t bytes = 0;
  char* base = MapFile(path, bytes);
  if (base == nullptr) return false;
  auto* header = reinterpret_cast<rec::Header*>(base);
  if (memcmp(header->magic, rec::kMagic, sizeof(rec::kMagic)) != 0) return false;
  if (header->version != rec::kVersion || header->bytes != bytes) return false;
  Session mapped;
  mapped.header = header;
  mapped.processes = TableAt<rec::Process>(base, header->processes, bytes);
  mapped.modules = TableAt<rec::Module>(base, header->modules, bytes);
  mapped.stacks = TableAt<rec::Stack>(base, header->stacks, bytes);
  mapped.windows = TableAt<rec::Window>(base, header->windows, bytes);
  mapped.slots = TableAt<uint32_t>(base, header->slots, bytes);
  if (mapped.processes == nullptr || mapped.modules == nullptr || mapped.stacks == nullptr ||
      mapped.windows == nullptr || mapped.slots == nullptr) {
    return false;
  }
  session = mapped;
  session.process = ClaimRow(getpid());
  if (session.process != nullptr) {
    session.process->blocks = 0;
    session.process->block_slots = 0;
    session.process->allocations = 0;
    session.process->parent = 0;
  }
  return true;
}

void ClaimChildRow() {
  const rec::Process* parent = session.process;
  session.process = ClaimRow(getpid());
  if (session.process == nullptr || parent == nullptr) return;
  session.process->parent = parent->pid;
  session.process->allocations = parent->allocations;
  session.process->block_slots = parent->block_slots;
  session.process->blocks = parent->blocks;
}

}  // namespace pagewarden::recorder
