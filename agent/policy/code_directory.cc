// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/code_directory.h"

#include <sys/statvfs.h>
#include <unistd.h>

namespace pagewarden {
namespace {

bool IsNoexec(const OwnedDirectory& directory) {
  struct statvfs info;
  return fstatvfs(directory.fd(), &info) == 0 && (info.f_flag & ST_NOEXEC) != 0;
}

}  // namespace

absl::StatusOr<OwnedDirectory> CodeDirectory(const OwnedDirectory& beside,
                                             const std::string& name) {
  if (IsNoexec(beside) && geteuid() == 0) {
    const absl::StatusOr<OwnedDirectory> cache = OwnedDirectory::Open(kCodeCache);
    if (cache.ok()) return cache->OpenChild(name);
  }
  return OwnedDirectory::Open(beside.path());
}

}  // namespace pagewarden
