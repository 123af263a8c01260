// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "agent/base/unique_fd.h"
#include "agent/base/write_file.h"

namespace pagewarden {

absl::Status ReplaceFile(const std::string& path, absl::string_view bytes) {
  // A collector of *.prom files must not take it.
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  const UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(errno, path);
  absl::Cleanup remove = [&] { unlink(temporary.c_str()); };
  const absl::Status written = WriteAll(fd.get(), bytes, path);
  if (!written.ok()) return written;
  if (fchmod(fd.get(), 0644) != 0 || rename(temporary.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, path);
  }
  std::move(remove).Cancel();
  return absl::OkStatus();
}

}  // namespace pagewarden
