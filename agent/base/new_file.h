// SPDX-License-Identifier: Apache-2.0
// A file that comes in place of another one at once, by rename(2): whoever reads sees the
// old one or the new one, whole.
//
//   auto file = NewFile::Create(directory, "books", ".books.new", 0600, path);
//   WriteAll(file->fd(), bytes, path);
//   file->TakePlace();
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

// Not thread-safe. Unless it has taken its place, it is removed in the end.
class NewFile {
 public:
  // Under the name `temporary` in the directory of that descriptor, which outlives this; what a
  // killed process has left there is removed. `path` names it in errors.
  static absl::StatusOr<NewFile> Create(int directory, std::string name, std::string temporary,
                                        mode_t mode, std::string path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  int fd() const { return fd_.get(); }
  absl::Status TakePlace();

 private:
  NewFile(int directory, UniqueFd fd, std::string name, std::string temporary, std::string path);

  int directory_;  // -1: it is in place, or moved from
  UniqueFd fd_;
  std::string name_;
  std::string temporary_;
  std::string path_;
};

// The same for a path, with mode 0644.
absl::Status ReplaceFile(const std::string& path, absl::string_view bytes);

}  // namespace pagewarden
