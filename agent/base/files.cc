// SPDX-License-Identifier: Apache-2.0
#include "agent/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/base/unique_fd.h"
#include "agent/base/write_file.h"

namespace pagewarden {
namespace {

absl::Status CheckTrusted(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, path);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": not a regular file"));
  }
  return CheckTrustedOwner(fd, path);
}

}  // namespace

absl::Status ErrnoStatus(int error, absl::string_view path) {
  const std::string message = absl::StrCat(path, ": ", strerror(error));
  switch (error) {
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    default:
      return absl::UnknownError(message);
  }
}

absl::StatusOr<std::string> ReadAll(int fd, size_t max_bytes, absl::string_view path) {
  std::string bytes;
  char buffer[16384];
  for (;;) {
    const ssize_t got = pread(fd, buffer, sizeof(buffer), static_cast<off_t>(bytes.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, path);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
    if (bytes.size() > max_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrFormat("%s: larger than %u bytes", path, max_bytes));
    }
  }
}

absl::StatusOr<std::string> ReadTrustedFile(const std::string& path, size_t max_bytes) {
  // O_NONBLOCK: opening a FIFO must not hang before fstat refuses it.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) return ErrnoStatus(errno, path);
  if (absl::Status status = CheckTrusted(fd.get(), path); !status.ok()) return status;
  return ReadAll(fd.get(), max_bytes, path);
}

}  // namespace pagewarden
