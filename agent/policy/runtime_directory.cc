// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/runtime_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/base/files.h"
#include "agent/base/new_file.h"
#include "agent/base/write_file.h"

namespace pagewarden {
namespace {

constexpr mode_t kPublicMode = 0755;
constexpr mode_t kPrivateMode = 0700;
constexpr mode_t kFileMode = 0644;

absl::Status CheckOwned(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, path);
  if (info.st_uid != geteuid()) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%s: not trusted: owned by uid %u instead of %u; remove it", path, info.st_uid, geteuid()));
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::FailedPreconditionError(
        absl::StrFormat("%s: not trusted: mode %04o lets others write to it (chmod go-w)", path,
                        info.st_mode & 07777));
  }
  return absl::OkStatus();
}

// su and sudo may leave the variable of another user behind.
bool IsOwnDirectory(const char* path) {
  struct stat info;
  return path[0] == '/' && stat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
         info.st_uid == geteuid();
}

}  // namespace

absl::StatusOr<OwnedDirectory> OwnedDirectory::OpenAt(int parent, const std::string& name,
                                                      std::string path, mode_t mode) {
  const bool made = mkdirat(parent, name.c_str(), mode) == 0;
  if (!made && errno != EEXIST) return ErrnoStatus(errno, path);
  UniqueFd fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok() && (errno == ENOTDIR || errno == ELOOP)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": not trusted: not a directory, or a symbolic link; remove it"));
  }
  if (!fd.ok()) return ErrnoStatus(errno, path);
  if (absl::Status status = CheckOwned(fd.get(), path); !status.ok()) return status;
  // The umask may have made it unreadable for the processes it is meant for.
  if (made && fchmod(fd.get(), mode) != 0) return ErrnoStatus(errno, path);
  return OwnedDirectory(std::move(fd), std::move(path));
}

absl::StatusOr<OwnedDirectory> OwnedDirectory::Open(const std::string& path, bool is_private) {
  return OpenAt(AT_FDCWD, path, path, is_private ? kPrivateMode : kPublicMode);
}

absl::StatusOr<OwnedDirectory> OwnedDirectory::OpenChild(const std::string& name) const {
  return OpenAt(fd_.get(), name, absl::StrCat(path_, "/", name), kPublicMode);
}

absl::Status OwnedDirectory::WriteFile(const std::string& name, absl::string_view bytes,
                                       uint64_t file_bytes) const {
  const std::string path = absl::StrCat(path_, "/", name);
  auto file =
      NewFile::Create(fd_.get(), name, absl::StrCat(".", name, ".", getpid()), kFileMode, path);
  if (!file.ok()) return file.status();
  if (absl::Status status = WriteAll(file->fd(), bytes, path); !status.ok()) return status;
  if (file_bytes > bytes.size() && ftruncate(file->fd(), static_cast<off_t>(file_bytes)) != 0) {
    return ErrnoStatus(errno, path);
  }
  return file->TakePlace();
}

absl::StatusOr<OwnedDirectory> OpenRuntimeDirectory() {
  if (geteuid() == 0) return OwnedDirectory::Open("/run/pagewarden");
  const char* xdg = getenv("XDG_RUNTIME_DIR");
  if (xdg != nullptr && IsOwnDirectory(xdg)) {
    return OwnedDirectory::Open(absl::StrCat(xdg, "/pagewarden"));
  }
  return OwnedDirectory::Open(absl::StrCat("/tmp/pagewarden-", geteuid()), /*is_private=*/true);
}

}  // namespace pagewarden
