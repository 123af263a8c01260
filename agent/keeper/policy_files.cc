// SPDX-License-Identifier: Apache-2.0
#include "agent/keeper/policy_files.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "agent/policy/load.h"

namespace pagewarden {
namespace {

// The change time is the kernel's: no one can set it back.
std::string FilePrint(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) != 0) return absl::StrCat(path, " -\n");
  return absl::StrCat(path, " ", file.st_dev, ":", file.st_ino, " ", file.st_size, " ",
                      file.st_mode, " ", file.st_uid, " ", file.st_ctim.tv_sec, ".",
                      file.st_ctim.tv_nsec, "\n");
}

}  // namespace

std::string PolicyFilesPrint(const std::vector<std::string>& directories,
                             const std::vector<std::string>& files) {
  std::string print;
  Diagnostics unused;  // what cannot be listed is told by who reads it
  for (const std::string& directory : directories) {
    struct stat info;
    if (stat(directory.c_str(), &info) != 0) continue;
    absl::StrAppend(&print, directory, " ", info.st_mode, "\n");
    for (const std::string& path : PolicyFilesIn(directory, unused)) {
      absl::StrAppend(&print, FilePrint(path));
    }
  }
  for (const std::string& path : files) absl::StrAppend(&print, FilePrint(path));
  return print;
}

}  // namespace pagewarden
