// SPDX-License-Identifier: Apache-2.0
// Predicts AT_SECURE: whether the loader will ignore LD_PRELOAD, silently
// (ld.so(8) "secure-execution mode"; kernel: security/commoncap.c).
#pragma once

#include <sys/types.h>

#include <string>

namespace pagewarden {

struct FilePrivileges {
  uid_t owner = 0;
  gid_t group = 0;
  bool setuid = false;
  bool setgid = false;  // and group-executable; without that the bit means locking
  bool has_capabilities = false;
  bool on_nosuid_mount = false;
};

struct CallerIdentity {
  uid_t uid = 0;
  uid_t effective_uid = 0;
  gid_t gid = 0;
  gid_t effective_gid = 0;
  bool no_new_privileges = false;
};

// Why executing the file sets AT_SECURE, as "it is setgid 110"; empty if it
// does not.
std::string SecureExecReason(const FilePrivileges& file, const CallerIdentity& caller);

// What of a file sets AT_SECURE: "it has file capabilities", "it is setuid 0"; empty: nothing.
std::string WhyPrivileged(const FilePrivileges& file);

// What fstat, fstatvfs and the security.capability attribute say of an open file.
FilePrivileges ReadFilePrivileges(int fd);

CallerIdentity ReadCallerIdentity();

}  // namespace pagewarden
