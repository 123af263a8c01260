// SPDX-License-Identifier: Apache-2.0
// What kernels do differently with locked memory, measured: a JSON object a line,
// {"<question>": "<answer>"}. Each question is asked in a process of its own, as
// root. Static, so that it shows the kernel and nothing else. docs/kernel.md says
// what each answer means for the audit and for the shim.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// Newer than Debian 12's headers.
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kSmall = 16 * kPage;
constexpr uid_t kNobody = 65534;

void* Map(size_t bytes, int protection = PROT_READ | PROT_WRITE) {
  void* const pages = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) _exit(1);
  return pages;
}

void Answer(const char* text) { printf("%s", text); }

void AnswerErrno(bool good, const char* yes) { Answer(good ? yes : strerrorname_np(errno)); }

void Limit(rlim_t bytes) {
  const rlimit limit = {bytes, bytes};
  if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) _exit(1);
}

// A field of /proc/self/status, in KiB.
long StatusKib(const char* field) {
  FILE* const status = fopen("/proc/self/status", "re");
  char line[256];
  long kib = -1;
  while (status != nullptr && fgets(line, sizeof(line), status) != nullptr) {
    if (strncmp(line, field, strlen(field)) == 0) kib = strtol(line + strlen(field), nullptr, 10);
  }
  if (status != nullptr) fclose(status);
  return kib;
}

void DefaultLimit() {
  rlimit limit;
  getrlimit(RLIMIT_MEMLOCK, &limit);
  printf("%llu KiB", static_cast<unsigned long long>(limit.rlim_cur / 1024));
}

void LockOnFaultOfUnreadable() {
  AnswerErrno(mlock2(Map(kPage, PROT_NONE), kPage, MLOCK_ONFAULT) == 0, "granted");
}

void DropLockedPages() {
  void* const pages = Map(kPage);
  mlock(pages, kPage);
  AnswerErrno(madvise(pages, kPage, MADV_DONTNEED_LOCKED) == 0, "yes");
}

void GuardMarkers() { AnswerErrno(madvise(Map(kPage), kPage, MADV_GUARD_INSTALL) == 0, "yes"); }

void LeakOfRemap() {
  void* const pages = Map(kSmall);
  mlock(pages, kSmall);
  // glibc 2.36 has no address to pass here, and passes whatever the register holds.
  void* const moved = reinterpret_cast<void*>(
      syscall(SYS_mremap, pages, kSmall, kSmall, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, nullptr));
  if (moved == MAP_FAILED) return AnswerErrno(false, "");
  munmap(moved, kSmall);
  munmap(pages, kSmall);
  const long kib = StatusKib("VmLck:");
  kib == 0 ? Answer("none") : static_cast<void>(printf("%ld KiB", kib));
}

// Which counter a secret page is charged to, and how a full one is told.
void SecretMemory() {
  Limit(4 * kPage);
  const int fd = static_cast<int>(syscall(SYS_memfd_secret, 0));
  if (fd < 0) return AnswerErrno(false, "");
  if (ftruncate(fd, kPage) != 0) return AnswerErrno(false, "");
  char* const page =
      static_cast<char*>(mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  if (page == MAP_FAILED) return AnswerErrno(false, "");
  page[0] = 1;
  Answer(StatusKib("VmLck:") > 0 ? "the process (VmLck), at mmap" : "the user, at the first touch");
}

void SecretMemoryOverLimit() {
  Limit(4 * kPage);
  if (setresuid(kNobody, kNobody, kNobody) != 0) _exit(1);
  const int fd = static_cast<int>(syscall(SYS_memfd_secret, 0));
  if (fd < 0) return AnswerErrno(false, "");
  if (ftruncate(fd, kSmall) != 0) return AnswerErrno(false, "");
  char* const pages =
      static_cast<char*>(mmap(nullptr, kSmall, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  if (pages == MAP_FAILED) return AnswerErrno(false, "");
  signal(SIGBUS, [](int) {
    constexpr char kText[] = "SIGBUS";
    _exit(write(STDOUT_FILENO, kText, sizeof(kText) - 1) < 0);
  });
  for (size_t i = 0; i < kSmall; i += kPage) pages[i] = 1;
  Answer("granted");
}

int MakeRing(unsigned entries) {
  io_uring_params parameters = {};
  return static_cast<int>(syscall(SYS_io_uring_setup, entries, &parameters));
}

void RingOverLimit() {
  Limit(kSmall);
  if (setresuid(kNobody, kNobody, kNobody) != 0) _exit(1);
  AnswerErrno(MakeRing(4096) >= 0, "not counted");
}

void BufferOfCapableRing() {
  const int ring = MakeRing(1);
  iovec buffer = {Map(kSmall), kSmall};
  if (ring < 0 || syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1) != 0) {
    return AnswerErrno(false, "");
  }
  printf("%ld KiB", StatusKib("VmPin:"));
}

// Since 5.11 the memory cgroup pays for maps; before, the user did, root too.
void MapUnderLimitZero() {
  Limit(0);
  bpf_attr attributes = {};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4096;
  attributes.max_entries = 16;
  const long fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
  AnswerErrno(fd >= 0, "not counted");
}

struct Question {
  const char* text;
  void (*ask)();
};

constexpr Question kQuestions[] = {
    {"RLIMIT_MEMLOCK that the kernel starts with", DefaultLimit},
    {"mlock2(MLOCK_ONFAULT) of PROT_NONE", LockOnFaultOfUnreadable},
    {"MADV_DONTNEED_LOCKED of locked pages", DropLockedPages},
    {"MADV_GUARD_INSTALL", GuardMarkers},
    {"VmLck left by MREMAP_DONTUNMAP of 64 KiB, all unmapped", LeakOfRemap},
    {"memfd_secret is charged to", SecretMemory},
    {"memfd_secret, 64 KiB under a limit of 16 KiB", SecretMemoryOverLimit},
    {"io_uring ring of 4096 entries, limit 64 KiB", RingOverLimit},
    {"VmPin of a 64 KiB buffer, ring made with CAP_IPC_LOCK", BufferOfCapableRing},
    {"BPF map of 64 KiB, limit 0, by root", MapUnderLimitZero},
};

// Prints the answer of a process of its own, which ends as it likes.
bool Ask(const Question& question) {
  printf("{\"%s\": \"", question.text);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    question.ask();
    fflush(stdout);
    _exit(0);
  }
  int status = 1;
  waitpid(child, &status, 0);
  printf("\"}\n");
  return status == 0;
}

}  // namespace

int main() {
  int wrong = 0;
  for (const Question& question : kQuestions) wrong += Ask(question) ? 0 : 1;
  return wrong == 0 ? 0 : 1;
}
