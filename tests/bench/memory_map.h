// SPDX-License-Identifier: Apache-2.0
// What the kernel says about this process's memory (proc(5)). Nothing here
// allocates once the objects exist: it works in a process that has no mapping
// left to make, and in a fork child.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <functional>
#include <vector>

namespace pagewarden::bench {

// One entry of /proc/self/smaps, sizes in bytes.
struct Mapping {
  uint64_t begin = 0;
  uint64_t end = 0;
  size_t resident = 0;
  size_t private_dirty = 0;
  bool locked = false;  // VM_LOCKED, with or without ONFAULT
};

void ForEachMapping(const std::function<void(const Mapping&)>& visit);

size_t LockedBytes();     // VmLck: what counts against RLIMIT_MEMLOCK
size_t AnonymousBytes();  // RssAnon

class MemoryMap {
 public:
  MemoryMap();

  void Read();

  // Whether the whole block lies in locked mappings.
  bool IsLocked(const void* block, size_t bytes) const;

  size_t mappings() const { return mappings_; }

 private:
  struct Range {
    uint64_t begin, end;
  };

  void Add(const Mapping& mapping);

  std::vector<Range> locked_;  // ascending, neighbours joined
  size_t mappings_ = 0;
};

}  // namespace pagewarden::bench
