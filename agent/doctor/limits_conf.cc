// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/limits_conf.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

// The more specific domain wins, whatever the order (pam_limits).
enum Rank { kNoMatch, kEverybody, kGroup, kUser };

Rank RankOf(absl::string_view domain, const std::string& user,
            const std::vector<std::string>& groups) {
  if (domain == user) return kUser;
  if (domain == "*") return user == "root" ? kNoMatch : kEverybody;  // root only by name
  if (!absl::ConsumePrefix(&domain, "@")) return kNoMatch;
  return std::find(groups.begin(), groups.end(), domain) == groups.end() ? kNoMatch : kGroup;
}

bool ParseValue(absl::string_view text, std::optional<uint64_t>& bytes) {
  if (text == "unlimited" || text == "infinity" || text == "-1") {
    bytes.reset();
    return true;
  }
  uint64_t kibibytes = 0;
  if (!absl::SimpleAtoi(text, &kibibytes) ||
      kibibytes > std::numeric_limits<uint64_t>::max() / 1024) {
    return false;
  }
  bytes = kibibytes * 1024;
  return true;
}

std::vector<std::string> Files(const std::string& root) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(root + "/etc/security/limits.d", error)) {
    if (entry.path().extension() == ".conf") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  files.insert(files.begin(), root + "/etc/security/limits.conf");
  return files;
}

}  // namespace

std::optional<ConfiguredLimit> ConfiguredMemlock(const std::string& root, const std::string& user,
                                                 const std::vector<std::string>& groups) {
  std::optional<ConfiguredLimit> found;
  Rank best = kNoMatch;
  for (const std::string& file : Files(root)) {
    const std::string text = ReadBoundedFile(file, kMaxFileBytes).value_or("");
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      line = line.substr(0, line.find('#'));
      const std::vector<absl::string_view> fields =
          absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
      if (fields.size() != 4 || fields[1] == "soft" || fields[2] != "memlock") continue;
      const Rank rank = RankOf(fields[0], user, groups);
      ConfiguredLimit limit{std::nullopt, file};
      if (rank == kNoMatch || rank < best || !ParseValue(fields[3], limit.hard_bytes)) continue;
      best = rank;
      found = std::move(limit);
    }
  }
  return found;
}

}  // namespace pagewarden
