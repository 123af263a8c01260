// SPDX-License-Identifier: Apache-2.0
#include "tests/programs/audit_sources_lockers.h"

#include <linux/capability.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace pagewarden {
namespace {

void* MapPages(uint64_t bytes) {
  void* const pages =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

bool Lock(uint64_t bytes) {
  if (bytes == 0) return true;
  void* const pages = MapPages(bytes);
  return pages != nullptr && mlock(pages, bytes) == 0;
}

bool Pin(uint64_t bytes) {
  if (bytes == 0) return true;
  io_uring_params parameters = {};
  const int ring = static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters));
  if (ring < 0) return false;
  iovec buffer = {MapPages(bytes), bytes};
  return buffer.iov_base != nullptr &&
         syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1) == 0;
}

bool DropLockCapability() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  data[0].effective &= ~(1u << CAP_IPC_LOCK);
  return syscall(SYS_capset, &header, data) == 0;
}

bool SetLimit(uint64_t soft, uint64_t hard) {
  const rlimit limit = {soft, hard};
  return setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

bool Become(const Locker& locker) {
  // Kernels before 5.16 give 64 KiB, which only root may raise.
  if (!SetLimit(locker.hard_limit, locker.hard_limit)) return false;
  if (locker.user_namespace && unshare(CLONE_NEWUSER) != 0) return false;
  if (!Lock(locker.locked_bytes)) return false;
  if (locker.drop_user && setresuid(kNobody, kNobody, kNobody) != 0) return false;
  if (locker.drop_capability && !DropLockCapability()) return false;
  if (!Pin(locker.pinned_bytes)) return false;
  return SetLimit(locker.soft_limit, locker.hard_limit) &&
         prctl(PR_SET_NAME, locker.comm.c_str()) == 0;
}

[[noreturn]] void RunLocker(const Locker& locker, int go, int ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  char byte = 'n';
  if (read(go, &byte, 1) != 1) _exit(1);  // its cgroup is set first: pages are charged there
  byte = Become(locker) ? 'y' : 'n';
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // cleared by setresuid
  if (write(ready, &byte, 1) != 1) _exit(1);
  for (;;) pause();
}

}  // namespace

bool CanPin() {
  const pid_t child = fork();
  if (child == 0) _exit(setresuid(kNobody, kNobody, kNobody) == 0 && Pin(4096) ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0;
}

bool StartLocker(Locker& locker, const std::string& cgroup_directory) {
  int go[2];
  int ready[2];
  if (pipe(go) != 0 || pipe(ready) != 0) return false;
  locker.pid = fork();
  if (locker.pid == 0) {
    close(go[1]);
    close(ready[0]);
    RunLocker(locker, go[0], ready[1]);
  }
  close(go[0]);
  close(ready[1]);
  std::ofstream procs(cgroup_directory + "/cgroup.procs");
  procs << locker.pid << std::flush;
  char byte = 'n';
  const bool started =
      procs.good() && write(go[1], "g", 1) == 1 && read(ready[0], &byte, 1) == 1 && byte == 'y';
  close(go[1]);
  close(ready[0]);
  return started;
}

void StopLocker(Locker& locker) {
  if (locker.pid <= 0) return;
  kill(locker.pid, SIGKILL);
  waitpid(locker.pid, nullptr, 0);
  locker.pid = 0;
}

}  // namespace pagewarden
