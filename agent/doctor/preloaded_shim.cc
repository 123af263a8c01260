// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/preloaded_shim.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/audit/text.h"

namespace pagewarden {

std::string PreloadedShim(absl::string_view list) {
  for (absl::string_view line : absl::StrSplit(list, '\n')) {
    line = line.substr(0, line.find('#'));  // as ld.so.preload has it
    for (absl::string_view entry : absl::StrSplit(line, absl::ByAnyChar(": \t"))) {
      if (absl::EndsWith(entry, kShimFileName)) return std::string(entry);
    }
  }
  return "";
}

std::string WhyNotMapped(const std::string& root, const std::string& library) {
  // The loader looks for a bare name itself, and replaces $LIB and the like.
  if (!absl::StartsWith(library, "/") || absl::StrContains(library, "$")) return "";
  const std::string path = absl::StrCat(root, library);
  if (access(path.c_str(), F_OK) != 0) {
    return absl::StrCat(Printable(library), " is not there in its mount namespace");
  }
  struct statvfs mount;
  if (statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0) {
    return absl::StrCat(Printable(library), " lies on a mount that is noexec");
  }
  return "";
}

}  // namespace pagewarden
