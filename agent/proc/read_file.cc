// SPDX-License-Identifier: Apache-2.0
#include "agent/proc/read_file.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

constexpr size_t kFirstRead = 4096;

absl::Status ErrnoError(const std::string& path) { return absl::ErrnoToStatus(errno, path); }

}  // namespace

absl::StatusOr<std::string> ReadBoundedFile(const std::string& path, size_t max_bytes) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return ErrnoError(path);
  absl::Cleanup close_fd = [fd] { close(fd); };

  std::string text;
  size_t used = 0;
  for (;;) {
    if (used == text.size()) text.resize(std::min(std::max(kFirstRead, 2 * used), max_bytes + 1));
    const ssize_t got = read(fd, &text[used], text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(path);
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > max_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(path, ": more than ", max_bytes, " bytes"));
    }
  }
  text.resize(used);
  return text;
}

absl::StatusOr<std::string> ReadLink(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t bytes = readlink(path.c_str(), target, sizeof(target));
  if (bytes < 0) return ErrnoError(path);
  return std::string(target, static_cast<size_t>(bytes));
}

}  // namespace pagewarden
