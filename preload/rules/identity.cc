// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/identity.h"

#include "preload/base/mem.h"
#include "preload/base/sys.h"

namespace pagewarden {
namespace {

constexpr size_t kControllerBytes = 256;  // all of version 1 together are fewer

bool Lists(const char* controllers, const char* name) {
  while (*controllers != 0) {
    const char* wanted = name;
    while (*wanted != 0 && *controllers == *wanted) ++controllers, ++wanted;
    if (*wanted == 0 && (*controllers == 0 || *controllers == ',')) return true;
    while (*controllers != 0 && *controllers != ',') ++controllers;
    if (*controllers == ',') ++controllers;
  }
  return false;
}

// Lines "ID:CONTROLLERS:PATH", a character at a time.
class CgroupLines {
 public:
  CgroupLines(char* path, size_t bytes) : path_(path), bytes_(bytes) {}

  void Take(char c) {
    if (c == '\n') {
      field_ = kId;
      used_ = 0;
      is_wanted_ = false;
    } else if (c == ':' && field_ < kPath) {
      if (++field_ == kPath) StartPath();
    } else if (field_ == kControllers) {
      if (used_ < kControllerBytes - 1) controllers_[used_++] = c;
    } else if (field_ == kPath && is_wanted_) {
      Append(c);
    }
  }

 private:
  enum Field { kId, kControllers, kPath };
  enum Rank { kOther, kVersion2, kMemory };

  void StartPath() {
    controllers_[used_] = 0;
    Rank rank = kOther;
    if (used_ == 0) rank = kVersion2;
    if (Lists(controllers_, "memory")) rank = kMemory;
    is_wanted_ = rank > best_;
    if (!is_wanted_) return;
    best_ = rank;
    used_ = 0;
    path_[0] = 0;
  }

  void Append(char c) {
    if (used_ >= bytes_ - 1) {  // no part of a path is a path
      path_[0] = 0;
      is_wanted_ = false;
      return;
    }
    path_[used_++] = c;
    path_[used_] = 0;
  }

  char* path_;
  size_t bytes_;
  Rank best_ = kOther;
  int field_ = kId;
  size_t used_ = 0;
  bool is_wanted_ = false;
  char controllers_[kControllerBytes];
};

void ReadCgroup(char* path, size_t bytes) {
  const long fd = sys::Open("/proc/self/cgroup");
  if (sys::Failed(fd)) return;
  CgroupLines lines(path, bytes);
  char text[1024];
  for (long got = 0; (got = sys::Read(fd, text, sizeof(text))) > 0;)
    for (long i = 0; i < got; ++i) lines.Take(text[i]);
  sys::Close(fd);
}

}  // namespace

Identity identity;

Identity::Identity(const char* executable, const char* cgroup)
    : has_executable_(true), has_cgroup_(true) {
  CopyText(executable_, kPathBytes, executable, Length(executable));
  CopyText(cgroup_, kPathBytes, cgroup, Length(cgroup));
}

const char* Identity::executable() {
  if (!has_executable_) {
    has_executable_ = true;
    const long bytes = sys::ReadLink("/proc/self/exe", executable_, kPathBytes - 1);
    executable_[sys::Failed(bytes) ? 0 : bytes] = 0;
  }
  return executable_;
}

const char* Identity::cgroup() {
  if (!has_cgroup_) {
    has_cgroup_ = true;
    ReadCgroup(cgroup_, kPathBytes);
  }
  return cgroup_;
}

void Identity::Read() {
  executable();
  cgroup();
}

}  // namespace pagewarden
