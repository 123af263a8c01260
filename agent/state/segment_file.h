// SPDX-License-Identifier: Apache-2.0
// A file of lines that is only appended to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/base/unique_fd.h"
#include "agent/state/state_directory.h"

namespace pagewarden {

// Not thread-safe.
class SegmentFile {
 public:
  // Appends to `name`, made with mode 0600 if it is missing. What lies behind `bytes`, of
  // a write that did not end, is cut off.
  static absl::StatusOr<SegmentFile> Open(const StateDirectory& directory, const std::string& name,
                                          uint64_t bytes);

  // All of `lines` in the file, with `durable` on the disk, or an error and none of them:
  // the file is then to be opened again, at size().
  absl::Status Append(absl::string_view lines, bool durable = true);

  uint64_t size() const { return size_; }

 private:
  SegmentFile(UniqueFd fd, std::string path, uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  UniqueFd fd_;
  std::string path_;
  uint64_t size_ = 0;
};

}  // namespace pagewarden
