// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/page_map.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kPresent = uint64_t{1} << 63;
constexpr uint64_t kSwapped = uint64_t{1} << 62;
constexpr uint64_t kGuardRegion = uint64_t{1} << 58;  // since Linux 6.15

bool IsData(uint64_t entry) {
  return (entry & (kPresent | kSwapped)) != 0 && (entry & kGuardRegion) == 0;
}

}  // namespace

absl::StatusOr<PageMap> PageMap::Open(pid_t pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/pagemap");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  return PageMap(fd);
}

PageMap::PageMap(PageMap&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

PageMap::~PageMap() {
  if (fd_ >= 0) close(fd_);
}

std::vector<AddressRange> PageMap::DataRanges(AddressRange range) const {
  std::vector<AddressRange> ranges;
  std::array<uint64_t, 8192> entries;
  for (uint64_t at = range.start; at < range.end;) {
    const uint64_t wanted = std::min<uint64_t>(entries.size(), (range.end - at) / kPageBytes);
    const ssize_t got = pread(fd_, entries.data(), wanted * sizeof(entries[0]),
                              static_cast<off_t>(at / kPageBytes * sizeof(entries[0])));
    if (got <= 0) break;  // the process is gone
    const uint64_t pages = static_cast<uint64_t>(got) / sizeof(entries[0]);
    for (uint64_t i = 0; i < pages; ++i, at += kPageBytes) {
      if (!IsData(entries[i])) continue;
      if (ranges.empty() || ranges.back().end != at) ranges.push_back({at, at});
      ranges.back().end += kPageBytes;
    }
    if (pages == 0) break;
  }
  return ranges;
}

bool PageMap::HoldsData(uint64_t address) const {
  const uint64_t page = address / kPageBytes * kPageBytes;
  return !DataRanges({page, page + kPageBytes}).empty();
}

}  // namespace pagewarden
