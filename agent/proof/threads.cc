// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/threads.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxSyscallBytes = 4096;

// "NUMBER ARGUMENT… SP PC", "-1 SP PC" or "running".
bool ParseSyscall(absl::string_view text, uint64_t& stack_pointer) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  return words.size() >= 3 && absl::SimpleHexAtoi(words[words.size() - 2], &stack_pointer);
}

}  // namespace

std::vector<pid_t> ListThreads(pid_t pid) {
  std::vector<pid_t> tids;
  std::error_code error;
  std::filesystem::directory_iterator entry(absl::StrCat("/proc/", pid, "/task"), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    pid_t tid = 0;
    if (absl::SimpleAtoi(entry->path().filename().string(), &tid)) tids.push_back(tid);
  }
  return tids;
}

bool ReadStoppedThread(pid_t tid, Thread& thread) {
  user_regs_struct registers;
  iovec buffer = {&registers, sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &buffer) != 0) return false;
  if (buffer.iov_len != sizeof(registers)) return false;  // a 32-bit process
  thread.tid = tid;
#if defined(__x86_64__)
  thread.stack_pointer = registers.rsp;
  thread.thread_pointer = registers.fs_base;
#elif defined(__aarch64__)
  thread.stack_pointer = registers.sp;
#else
#error "which register is the stack pointer?"
#endif
  return true;
}

std::vector<Thread> ReadWaitingThreads(pid_t pid) {
  std::vector<Thread> threads;
  for (const pid_t tid : ListThreads(pid)) {
    Thread thread;
    thread.tid = tid;
    const auto text =
        ReadBoundedFile(absl::StrCat("/proc/", pid, "/task/", tid, "/syscall"), kMaxSyscallBytes);
    if (text.ok() && ParseSyscall(*text, thread.stack_pointer)) threads.push_back(thread);
  }
  return threads;
}

}  // namespace pagewarden
