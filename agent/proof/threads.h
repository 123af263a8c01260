// SPDX-License-Identifier: Apache-2.0
// Where the threads of a process have their stacks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace pagewarden {

struct Thread {
  pid_t tid = 0;
  uint64_t stack_pointer = 0;
  uint64_t thread_pointer = 0;  // 0: unknown
};

// The thread ids of a process; empty when it is gone.
std::vector<pid_t> ListThreads(pid_t pid);

// The registers of a thread that this thread has stopped with ptrace(2). False: gone.
bool ReadStoppedThread(pid_t tid, Thread& thread);

// The threads that are waiting in the kernel right now, from /proc/PID/task/TID/syscall:
// the kernel does not tell the stack pointer of one that runs.
std::vector<Thread> ReadWaitingThreads(pid_t pid);

}  // namespace pagewarden
