// SPDX-License-Identifier: Apache-2.0
// Which pages of a process hold data, from /proc/PID/pagemap (the kernel's
// Documentation/admin-guide/mm/pagemap.rst). Address space that nothing was
// ever written to need not be read, and a page that cannot be read but is not
// there either (a guard region, the space past a file's end) hides nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace pagewarden {

struct AddressRange {
  uint64_t start = 0;
  uint64_t end = 0;
};

class PageMap {
 public:
  // Needs PTRACE_MODE_READ, as /proc/PID/mem does.
  static absl::StatusOr<PageMap> Open(pid_t pid);

  PageMap(PageMap&& other) noexcept;
  PageMap& operator=(PageMap&&) = delete;
  ~PageMap();

  // The parts of `range` whose pages are in memory or in swap. `range` is page-aligned.
  std::vector<AddressRange> DataRanges(AddressRange range) const;
  bool HoldsData(uint64_t address) const;

 private:
  explicit PageMap(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace pagewarden
