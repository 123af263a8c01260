// SPDX-License-Identifier: Apache-2.0
#include "agent/run/secure_exec.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace pagewarden {

std::string SecureExecReason(const FilePrivileges& file, const CallerIdentity& caller) {
  const bool bits_count = !file.on_nosuid_mount && !caller.no_new_privileges;
  const uid_t new_uid = bits_count && file.setuid ? file.owner : caller.effective_uid;
  const gid_t new_gid = bits_count && file.setgid ? file.group : caller.effective_gid;
  if (new_uid != caller.uid) {
    return file.setuid && bits_count ? absl::StrCat("it is setuid ", file.owner)
                                     : "the real and effective user differ";
  }
  if (new_gid != caller.gid) {
    return file.setgid && bits_count ? absl::StrCat("it is setgid ", file.group)
                                     : "the real and effective group differ";
  }
  // With no_new_privs the capabilities are dropped, yet AT_SECURE stays.
  if (file.has_capabilities && !file.on_nosuid_mount && caller.uid != 0) {
    return "it has file capabilities";
  }
  return "";
}

std::string WhyPrivileged(const FilePrivileges& file) {
  if (file.has_capabilities) return "it has file capabilities";
  if (file.setuid) return absl::StrCat("it is setuid ", file.owner);
  if (file.setgid) return absl::StrCat("it is setgid ", file.group);
  return "";
}

FilePrivileges ReadFilePrivileges(int fd) {
  FilePrivileges file;
  struct stat info;
  if (fstat(fd, &info) == 0) {
    file.owner = info.st_uid;
    file.group = info.st_gid;
    file.setuid = (info.st_mode & S_ISUID) != 0;
    file.setgid = (info.st_mode & S_ISGID) != 0 && (info.st_mode & S_IXGRP) != 0;
  }
  struct statvfs mount;
  if (fstatvfs(fd, &mount) == 0) file.on_nosuid_mount = (mount.f_flag & ST_NOSUID) != 0;
  file.has_capabilities = fgetxattr(fd, "security.capability", nullptr, 0) > 0;
  return file;
}

CallerIdentity ReadCallerIdentity() {
  return {getuid(), geteuid(), getgid(), getegid(), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1};
}

}  // namespace pagewarden
