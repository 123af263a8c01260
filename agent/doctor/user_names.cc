// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/user_names.h"

#include <grp.h>
#include <pwd.h>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

constexpr size_t kBufferBytes = 64 << 10;
constexpr int kMaxGroups = 1024;

std::string GroupName(gid_t gid) {
  std::vector<char> buffer(kBufferBytes);
  struct group entry;
  struct group* found = nullptr;
  if (getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return absl::StrCat(gid);
  }
  return found->gr_name;
}

}  // namespace

std::string UserName(uid_t uid) {
  std::vector<char> buffer(kBufferBytes);
  struct passwd entry;
  struct passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return absl::StrCat(uid);
  }
  return found->pw_name;
}

std::vector<std::string> GroupNames(uid_t uid) {
  std::vector<char> buffer(kBufferBytes);
  struct passwd entry;
  struct passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return {};
  }
  std::vector<gid_t> gids(kMaxGroups);
  int count = kMaxGroups;
  if (getgrouplist(found->pw_name, found->pw_gid, gids.data(), &count) < 0) count = kMaxGroups;
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(GroupName(gids[static_cast<size_t>(i)]));
  return names;
}

}  // namespace pagewarden
