// SPDX-License-Identifier: Apache-2.0
#include "agent/base/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "agent/base/write_file.h"

namespace pagewarden {

absl::StatusOr<NewFile> NewFile::Create(int directory, std::string name, std::string temporary,
                                        mode_t mode, std::string path) {
  unlinkat(directory, temporary.c_str(), 0);
  UniqueFd fd(openat(directory, temporary.c_str(),
                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd.ok()) return ErrnoStatus(errno, path);
  NewFile file(directory, std::move(fd), std::move(name), std::move(temporary), std::move(path));
  if (fchmod(file.fd(), mode) != 0) return ErrnoStatus(errno, file.path_);  // umask(2)
  return file;
}

NewFile::NewFile(int directory, UniqueFd fd, std::string name, std::string temporary,
                 std::string path)
    : directory_(directory),
      fd_(std::move(fd)),
      name_(std::move(name)),
      temporary_(std::move(temporary)),
      path_(std::move(path)) {}

NewFile::NewFile(NewFile&& other) noexcept
    : directory_(std::exchange(other.directory_, -1)),
      fd_(std::move(other.fd_)),
      name_(std::move(other.name_)),
      temporary_(std::move(other.temporary_)),
      path_(std::move(other.path_)) {}

NewFile::~NewFile() {
  if (directory_ != -1) unlinkat(directory_, temporary_.c_str(), 0);
}

absl::Status NewFile::TakePlace() {
  if (renameat(directory_, temporary_.c_str(), directory_, name_.c_str()) != 0) {
    return ErrnoStatus(errno, path_);
  }
  directory_ = -1;
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, absl::string_view bytes) {
  // Its end keeps it from being taken by a collector of *.prom files.
  auto file = NewFile::Create(AT_FDCWD, path, absl::StrCat(path, ".", getpid()), 0644, path);
  if (!file.ok()) return file.status();
  if (absl::Status status = WriteAll(file->fd(), bytes, path); !status.ok()) return status;
  return file->TakePlace();
}

}  // namespace pagewarden
