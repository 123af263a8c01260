// SPDX-License-Identifier: Apache-2.0
#include "agent/state/oom_kills.h"

#include <sys/stat.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 1 << 16;

std::optional<uint64_t> OomKillsIn(const std::string& file) {
  const auto text = ReadBoundedFile(file, kMaxTextBytes);
  if (!text.ok()) return std::nullopt;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    uint64_t count = 0;
    if (absl::ConsumePrefix(&line, "oom_kill ") && absl::SimpleAtoi(line, &count)) return count;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> ReadOomKills(const CgroupHierarchy& hierarchy, const std::string& path) {
  const std::string directory = hierarchy.DirectoryOf(path);
  if (directory.empty()) return std::nullopt;
  if (hierarchy.version() == CgroupVersion::kV1) {
    return OomKillsIn(directory + "/memory.oom_control");
  }
  const auto local = OomKillsIn(directory + "/memory.events.local");
  return local ? local : OomKillsIn(directory + "/memory.events");
}

uint64_t CgroupInode(const CgroupHierarchy& hierarchy, const std::string& path) {
  const std::string directory = hierarchy.DirectoryOf(path);
  struct stat info;
  if (directory.empty() || stat(directory.c_str(), &info) != 0) return 0;
  return info.st_ino;
}

}  // namespace pagewarden
