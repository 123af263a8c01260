// SPDX-License-Identifier: Apache-2.0
// A ledger with its tables, and a process that holds them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {

inline constexpr uint64_t kAddress = 0x7f0000000000;
inline constexpr uint64_t kFence = 0x7e0000000000;

// Inside the fence: a guard, 8 pages of arena, a guard, then the tables.
inline constexpr uint64_t kFenceBytes = 16 * 4096;
inline constexpr uint64_t kArenaOffset = 4096;
inline constexpr uint64_t kTagsOffset = 10 * 4096;
inline constexpr uint64_t kBooksOffset = 11 * 4096;
inline constexpr uint32_t kTags = 3;
inline constexpr uint32_t kRows = 4;

inline abi::Ledger GoodLedger(uint64_t address = kAddress, uint64_t fence = kFence) {
  abi::Ledger ledger = {};
  memcpy(ledger.magic, abi::kLedgerMagic, sizeof(ledger.magic));
  ledger.version = abi::kLedgerVersion;
  ledger.bytes = sizeof(abi::Ledger);
  ledger.self = address;
  ledger.state = abi::ShimState::kActive;
  ledger.mode = static_cast<uint32_t>(abi::Mode::kEnforce);
  strcpy(ledger.policy, "nginx-tls-keys");
  ledger.fence_base = fence;
  ledger.fence_bytes = kFenceBytes;
  ledger.relocks = 6;
  ledger.lock_errors = 7;
  ledger.lock_errno = ENOMEM;
  ledger.namespaces = 8;
  ledger.reentered_frees = 9;
  ledger.scopes_in_executable = 10;
  ledger.files_missed = 11;
  ledger.follows = abi::Follows::kLiveImage;
  ledger.generation = 12;
  ledger.rules_waiting = 13;
  ledger.violations[abi::kViolationDoubleFree] = 1;
  ledger.tags_base = fence + kTagsOffset;
  ledger.books_base = fence + kBooksOffset;
  ledger.tag_count = kTags;
  ledger.rule_count = 2;
  ledger.book_rows = kRows;
  ledger.arena_count = 1;
  abi::LedgerArena& arena = ledger.arenas[0];
  strcpy(arena.name, "default");
  arena.base = fence + kArenaOffset;
  arena.capacity_bytes = 8 * 4096;
  arena.locked_bytes = 8 * 4096;
  arena.page_bytes = 4096;
  arena.peak_page_bytes = 8192;
  arena.growths = 2;
  arena.backing = abi::ArenaBacking::kLockedAnonymous;
  return ledger;
}

// Two rules and an arena asked for by name; what thread 0 allocated, thread 3 frees.
struct Tables {
  abi::LedgerTag tags[kTags] = {};
  abi::LedgerBook books[kRows][kTags] = {};
};

inline Tables GoodTables() {
  Tables tables;
  strcpy(tables.tags[0].name, "private-keys");
  strcpy(tables.tags[1].name, "passwords");
  strcpy(tables.tags[2].name, "default");
  tables.tags[0].kind = tables.tags[1].kind = abi::TagKind::kRule;
  tables.tags[2].kind = abi::TagKind::kArena;
  tables.tags[0].peak_bytes = 640;
  tables.tags[0].fallbacks[abi::kFallbackCapacity] = 1;
  tables.tags[0].fallbacks[abi::kFallbackForked] = 2;
  tables.tags[1].fallbacks[abi::kFallbackCapacity] = 4;
  tables.tags[1].audited = 5;
  tables.books[0][0] = {10, 1, 800, 80};
  tables.books[3][0] = {2, 5, 160, 400};
  tables.books[1][1] = {1, 0, 4096, 0};
  return tables;
}

// This process maps a file of the shim's name as the loader does it, its code executable
// and its data private and writable, and a fence.
class FakeShim {
 public:
  static constexpr size_t kPages = 4;
  static constexpr size_t kArenaBytes = 8 * 4096;

  explicit FakeShim(const std::string& name = "libpagewarden.so", int flags = MAP_PRIVATE)
      : path_(directory_.Write(name, std::string(kPages * 4096, '\0'))),
        code_(Map(path_, MAP_PRIVATE, PROT_READ | PROT_EXEC)),
        file_(Map(path_, flags, PROT_READ | PROT_WRITE)),
        fence_(static_cast<char*>(
            mmap(nullptr, kFenceBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    EXPECT_NE(code_, MAP_FAILED);
    EXPECT_NE(file_, MAP_FAILED);
    EXPECT_NE(fence_, MAP_FAILED);
    EXPECT_EQ(mprotect(arena(), kArenaBytes, PROT_READ | PROT_WRITE), 0);
    EXPECT_EQ(mprotect(fence(kTagsOffset), 2 * 4096, PROT_READ | PROT_WRITE), 0);
    const Tables tables = GoodTables();
    memcpy(fence(kTagsOffset), tables.tags, sizeof(tables.tags));
    memcpy(fence(kBooksOffset), tables.books, sizeof(tables.books));
  }
  ~FakeShim() {
    munmap(code_, kPages * 4096);
    munmap(file_, kPages * 4096);
    munmap(fence_, kFenceBytes);
  }
  FakeShim(const FakeShim&) = delete;
  FakeShim& operator=(const FakeShim&) = delete;

  const std::string& path() const { return path_; }
  char* page(size_t index) const { return file_ + index * 4096; }
  char* fence(uint64_t offset) const { return fence_ + offset; }
  char* arena() const { return fence(kArenaOffset); }

  // The ledger that belongs on a page, and one that is there.
  abi::Ledger LedgerFor(size_t index) const {
    return GoodLedger(reinterpret_cast<uint64_t>(page(index)), reinterpret_cast<uint64_t>(fence_));
  }
  void Place(size_t index) const {
    const abi::Ledger ledger = LedgerFor(index);
    memcpy(page(index), &ledger, sizeof(ledger));
  }

 private:
  static char* Map(const std::string& path, int flags, int protection) {
    const int fd = open(path.c_str(), O_RDWR);
    void* const at = mmap(nullptr, kPages * 4096, protection, flags, fd, 0);
    close(fd);
    return static_cast<char*>(at);
  }

  TempDirectory directory_;
  std::string path_;
  char* code_;
  char* file_;
  char* fence_;
};

}  // namespace pagewarden
