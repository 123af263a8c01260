// SPDX-License-Identifier: Apache-2.0
#include "agent/proc/memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pagewarden {

absl::StatusOr<ProcessMemory> ProcessMemory::Open(pid_t pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/mem");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  return ProcessMemory(fd);
}

ProcessMemory::ProcessMemory(ProcessMemory&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

ProcessMemory& ProcessMemory::operator=(ProcessMemory&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

ProcessMemory::~ProcessMemory() {
  if (fd_ >= 0) close(fd_);
}

size_t ProcessMemory::Read(uint64_t address, void* buffer, size_t bytes) const {
  bytes = std::min<uint64_t>(bytes, std::numeric_limits<uint64_t>::max() - address);
  size_t done = 0;
  while (done < bytes) {
    // The kernel takes the offset as unsigned for this file, so the top half of
    // the address space ([vsyscall]) needs no special case (fs/proc/base.c).
    const ssize_t got = pread(fd_, static_cast<char*>(buffer) + done, bytes - done,
                              static_cast<off_t>(address + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace pagewarden
