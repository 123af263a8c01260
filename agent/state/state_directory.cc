// SPDX-License-Identifier: Apache-2.0
#include "agent/state/state_directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "agent/base/new_file.h"
#include "agent/base/write_file.h"

namespace pagewarden {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

// A second name for the file that is there; none there is no error.
absl::Status KeepOld(int directory, const std::string& name, const std::string& keep) {
  const std::string temporary = absl::StrCat(".", keep, ".new");
  unlinkat(directory, temporary.c_str(), 0);
  if (linkat(directory, name.c_str(), directory, temporary.c_str(), 0) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoStatus(errno, name);
  }
  if (renameat(directory, temporary.c_str(), directory, keep.c_str()) != 0) {
    return ErrnoStatus(errno, keep);
  }
  // rename(2) does nothing where both names are one file already.
  unlinkat(directory, temporary.c_str(), 0);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StateDirectory> StateDirectory::Open(const std::string& path) {
  if (mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return ErrnoStatus(errno, path);
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(errno, path);
  if (absl::Status status = CheckTrustedOwner(fd.get(), path); !status.ok()) return status;
  return StateDirectory(std::move(fd), path);
}

std::string StateDirectory::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::StatusOr<std::string> StateDirectory::Read(const std::string& name, size_t max_bytes) const {
  const UniqueFd fd(
      openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.ok()) return ErrnoStatus(errno, PathOf(name));
  return ReadAll(fd.get(), max_bytes, PathOf(name));
}

absl::Status StateDirectory::Replace(const std::string& name, absl::string_view bytes,
                                     const std::string& keep) const {
  const std::string path = PathOf(name);
  auto file = NewFile::Create(fd_.get(), name, absl::StrCat(".", name, ".new"), kFileMode, path);
  if (!file.ok()) return file.status();
  if (absl::Status status = WriteAll(file->fd(), bytes, path); !status.ok()) return status;
  if (fsync(file->fd()) != 0) return ErrnoStatus(errno, path);
  if (!keep.empty()) {
    if (absl::Status status = KeepOld(fd_.get(), name, keep); !status.ok()) return status;
  }
  if (absl::Status status = file->TakePlace(); !status.ok()) return status;
  return Sync();
}

absl::Status StateDirectory::Sync() const {
  return fsync(fd_.get()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, path_);
}

}  // namespace pagewarden
