// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/kernel_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truth/model.h"
#include "tests/truth/own_status.h"

namespace truth {
namespace {

constexpr int kNever = 255;
constexpr int kMostRingPages = 64;

// The result, 0 to 254, of `question` in a child; kNever where it died.
template <typename Question>
int AskInChild(Question question) {
  const pid_t child = fork();
  if (child == 0) _exit(question());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return kNever;
  return WEXITSTATUS(status);
}

int SetUpRing() {
  io_uring_params parameters = {};
  return static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters));
}

bool RegisterPage(int ring) {
  void* const page =
      mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  iovec buffer = {page, kPageBytes};
  return syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1) == 0;
}

// The lowest limit under which a ring can be made.
int RingPages(uid_t user) {
  rlimit limit = {};
  if (setresuid(user, user, user) != 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return kNever;
  for (int pages = 0; pages <= kMostRingPages; ++pages) {
    limit.rlim_cur = static_cast<rlim_t>(pages) * kPageBytes;
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return kNever;
    if (SetUpRing() >= 0) return pages;
  }
  return kNever;
}

int CanRegister(uid_t user) {
  if (setresuid(user, user, user) != 0) return 0;
  const int ring = SetUpRing();
  return ring >= 0 && RegisterPage(ring) ? 1 : 0;
}

int PinsWithCapability() {
  StatusFigures figures;
  const int ring = SetUpRing();
  if (ring < 0 || !RegisterPage(ring)) return 0;
  return ReadStatusFigures("/proc/self/status", figures) && figures.pinned_bytes > 0 ? 1 : 0;
}

// 0: there is none, 1: VmLck does not count it, 2: it does.
int SecretMemory() {
  const int fd = static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC));
  if (fd < 0 || ftruncate(fd, kPageBytes) != 0) return 0;
  if (mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED) return 0;
  StatusFigures figures;
  if (!ReadStatusFigures("/proc/self/status", figures)) return 0;
  return figures.locked_bytes > 0 ? 2 : 1;
}

}  // namespace

Kernel ProbeKernel(uid_t user) {
  Kernel kernel = {};
  const int ring_pages = AskInChild([user] { return RingPages(user); });
  if (ring_pages != kNever && AskInChild([user] { return CanRegister(user); }) == 1) {
    kernel.has_rings = 1;
    kernel.ring_pages = static_cast<uint32_t>(ring_pages);
  }
  kernel.pins_with_capability = AskInChild(PinsWithCapability) == 1;
  const int secret = AskInChild(SecretMemory);
  kernel.has_secret_memory = secret == 1 || secret == 2;
  kernel.secret_memory_in_locked = secret == 2;
  return kernel;
}

}  // namespace truth
