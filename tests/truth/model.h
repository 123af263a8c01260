// SPDX-License-Identifier: Apache-2.0
// What a process has locked, page by page, as it must follow from the system calls it
// made (mm/mlock.c, mm/mmap.c, mm/mremap.c). Compared with VmLck after each.
//
// Everything lies in regions at fixed addresses with room between them, so that the
// kernel puts nothing of its own into a hole.
#pragma once

#include <cstdint>

namespace truth {

constexpr uint64_t kPageBytes = 4096;
constexpr uint32_t kMaxPages = 96;  // of a region
constexpr uint32_t kRegions = 12;   // the first is the program break

enum class Page : uint8_t { kHole, kUnlocked, kLocked, kOnFault };
enum class Content : uint8_t { kNone, kBreak, kAnonymous, kSecret };

struct Region {
  Content content = Content::kNone;
  uint32_t pages = 0;
  Page page[kMaxPages] = {};

  bool IsUniform() const;  // no hole, all locked alike
  uint64_t LockedPages(uint32_t first, uint32_t count) const;
};

struct Model {
  Region regions[kRegions];
  uint64_t break_address = 0;
  uint64_t outside_pages = 0;  // locked by mlockall in none of the regions
  uint64_t limit_pages = 0;
  bool has_capability = false;
  Page next = Page::kUnlocked;  // how new mappings are locked: MCL_FUTURE

  uint64_t AddressOf(uint32_t region) const;
  uint64_t LockedPages() const;
  uint64_t SecretPages() const;  // of these

  // True: `extra` more are over the limit.
  bool Exceeds(uint64_t extra) const;

  // mlock, mlock2 and munlock stop at the first hole; what is before it stays changed.
  // True: none was met. Secret memory stays as it is.
  bool Set(Region& region, uint32_t first, uint32_t count, Page page) const;

  void SetAll(Page page);

  // A child has the mappings, and none of the locks.
  void Fork();
};

}  // namespace truth
