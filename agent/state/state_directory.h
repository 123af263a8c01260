// SPDX-License-Identifier: Apache-2.0
// The directory of what outlives the agent. Files in it are replaced whole: after a
// crash of the agent or of the machine there is the old one or the new one.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

class StateDirectory {
 public:
  // Makes the last component of `path` with mode 0700 if it is missing. Links on the way
  // are followed, as systemd's DynamicUser= makes one. The directory must be root's or the
  // running user's and not be writable by others (FailedPrecondition).
  static absl::StatusOr<StateDirectory> Open(const std::string& path);

  int fd() const { return fd_.get(); }
  std::string PathOf(absl::string_view name) const;

  // NotFound: there is no such file. ResourceExhausted: more than `max_bytes`.
  absl::StatusOr<std::string> Read(const std::string& name, size_t max_bytes) const;

  // Temporary file, fsync(2), rename(2) over `name`, fsync of the directory.
  // The file that was there before is kept under the name `keep`, unless that is empty.
  absl::Status Replace(const std::string& name, absl::string_view bytes,
                       const std::string& keep = "") const;

  absl::Status Sync() const;  // of the directory's entries

 private:
  StateDirectory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;
};

}  // namespace pagewarden
