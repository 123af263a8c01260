// SPDX-License-Identifier: Apache-2.0
// Where compiled policies live: a directory that only its owner can write to,
// however hostile the directory above it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

// A directory that is held open, so that nothing renamed or linked on its path
// can redirect what is done in it.
class OwnedDirectory {
 public:
  // Opens `path`, made with mode 0755 (0700 with `is_private`) if it is missing.
  // It must be a directory, not a link, owned by the running user and not be
  // writable by others. Only its last component is made.
  static absl::StatusOr<OwnedDirectory> Open(const std::string& path, bool is_private = false);

  // The same for a subdirectory, by one name.
  absl::StatusOr<OwnedDirectory> OpenChild(const std::string& name) const;

  // Puts a file with mode 0644 in place at once: readers see the old file or
  // the new one, whole. The running processes that map the old one keep it.
  // `file_bytes`: how long it is, if longer than `bytes`; the rest is a hole.
  absl::Status WriteFile(const std::string& name, absl::string_view bytes,
                         uint64_t file_bytes = 0) const;

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

 private:
  OwnedDirectory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  static absl::StatusOr<OwnedDirectory> OpenAt(int parent, const std::string& name,
                                               std::string path, mode_t mode);

  UniqueFd fd_;
  std::string path_;
};

// /run/pagewarden for root, else $XDG_RUNTIME_DIR/pagewarden if that is the
// user's own directory, else /tmp/pagewarden-UID.
absl::StatusOr<OwnedDirectory> OpenRuntimeDirectory();

}  // namespace pagewarden
