// SPDX-License-Identifier: Apache-2.0
#include "tests/reasons/setup.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace pagewarden {
namespace {

constexpr uid_t kNobody = 65534;

void Must(bool done, const char* what) {
  if (done) return;
  perror(what);
  abort();
}

bool WriteFile(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return done;
}

}  // namespace

void SetLimit(uint64_t soft, uint64_t hard) {
  const rlimit limit = {soft, hard};
  Must(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "setrlimit");
}

void BecomeNobody() {
  Must(setgroups(0, nullptr) == 0, "setgroups");
  Must(setgid(kNobody) == 0, "setgid");
  Must(setuid(kNobody) == 0, "setuid");
}

bool EnterUserNamespace() {
  BecomeNobody();
  Must(prctl(PR_SET_DUMPABLE, 1) == 0, "prctl");  // else /proc/self belongs to root
  if (unshare(CLONE_NEWUSER) != 0) return false;
  return WriteFile("/proc/self/setgroups", "deny") &&
         WriteFile("/proc/self/gid_map", "0 65534 1") &&
         WriteFile("/proc/self/uid_map", "0 65534 1");
}

void DropIpcLock(bool permitted_too) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  Must(syscall(SYS_capget, &header, data) == 0, "capget");
  data[0].effective &= ~(1u << CAP_IPC_LOCK);
  if (permitted_too) data[0].permitted &= ~(1u << CAP_IPC_LOCK);
  Must(syscall(SYS_capset, &header, data) == 0, "capset");
}

void RefuseBySeccomp(int number, int error) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {4, filter};
  Must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  Must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

void* Map(uint64_t bytes, int protection, int flags) {
  void* const address =
      mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

uint64_t OwnLockedBytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  unsigned long kib = 0;
  while (std::getline(status, line)) {
    if (sscanf(line.c_str(), "VmLck: %lu", &kib) == 1) break;
  }
  return kib * kKiB;
}

Range OwnStack() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  unsigned long start = 0, end = 0;
  while (std::getline(maps, line)) {
    if (line.find("[stack]") == std::string::npos) continue;
    if (sscanf(line.c_str(), "%lx-%lx", &start, &end) == 2) return {start, end};
  }
  return {};
}

}  // namespace pagewarden
