// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/directories.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <map>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "agent/policy/load.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

// What is not to be read, of an unusual kind, is left for LoadPath to refuse.
bool IsMask(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) != 0) return false;
  if (S_ISREG(file.st_mode)) return file.st_size == 0;
  return S_ISCHR(file.st_mode) && file.st_rdev == makedev(1, 3);  // /dev/null
}

}  // namespace

std::vector<std::string> DefaultPolicyDirectories() {
  return {"/usr/lib/pagewarden/policy.d", "/etc/pagewarden/policy.d", "/run/pagewarden/policy.d"};
}

std::vector<DropIn> ListDropIns(const std::vector<std::string>& directories,
                                Diagnostics& diagnostics) {
  std::map<std::string, DropIn> by_name;
  for (const std::string& directory : directories) {
    std::error_code error;
    if (!fs::exists(directory, error) && !error) continue;
    for (const std::string& path : PolicyFilesIn(directory, diagnostics)) {
      DropIn& drop_in = by_name[fs::path(path).filename().string()];
      if (!drop_in.path.empty()) drop_in.hidden.push_back(drop_in.path);
      drop_in.path = path;
      drop_in.is_mask = IsMask(path);
    }
  }
  std::vector<DropIn> drop_ins;
  for (auto& [name, drop_in] : by_name) drop_ins.push_back(std::move(drop_in));
  return drop_ins;
}

void LoadDropIns(const std::vector<std::string>& directories, PolicySet& set,
                 Diagnostics& diagnostics, std::vector<YamlNode>* documents) {
  for (const DropIn& drop_in : ListDropIns(directories, diagnostics)) {
    if (!drop_in.is_mask) LoadPath(drop_in.path, set, diagnostics, documents);
  }
}

}  // namespace pagewarden
