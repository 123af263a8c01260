// SPDX-License-Identifier: Apache-2.0
#include "agent/state/segment_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "agent/base/files.h"
#include "agent/base/write_file.h"

namespace pagewarden {

absl::StatusOr<SegmentFile> SegmentFile::Open(const StateDirectory& directory,
                                              const std::string& name, uint64_t bytes) {
  const std::string path = directory.PathOf(name);
  UniqueFd fd(openat(directory.fd(), name.c_str(),
                     O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!fd.ok()) return ErrnoStatus(errno, path);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, path);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(path + ": not a regular file");
  }
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (size < bytes) return absl::DataLossError(path + ": shorter than it was");
  if (size > bytes &&
      (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0 || fsync(fd.get()) != 0)) {
    return ErrnoStatus(errno, path);
  }
  if (size == 0) {
    if (absl::Status status = directory.Sync(); !status.ok()) return status;
  }
  return SegmentFile(std::move(fd), path, bytes);
}

absl::Status SegmentFile::Append(absl::string_view lines, bool durable) {
  absl::Status status = WriteAll(fd_.get(), lines, path_);
  if (status.ok() && durable && fdatasync(fd_.get()) != 0) status = ErrnoStatus(errno, path_);
  if (status.ok()) {
    size_ += lines.size();
    return status;
  }
  // A part may be there. If it cannot be cut off now, opening the file does it.
  [[maybe_unused]] const int ignored = ftruncate(fd_.get(), static_cast<off_t>(size_));
  return status;
}

}  // namespace pagewarden
