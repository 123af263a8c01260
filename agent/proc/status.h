// SPDX-License-Identifier: Apache-2.0
// One process as /proc/PID/{status,limits,cgroup,uid_map} shows it (proc(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

struct ProcessStatus {
  std::string comm;
  uid_t real_uid = 0;
  uid_t uid = 0;                  // effective
  uint64_t peak_total_bytes = 0;  // VmPeak
  uint64_t total_bytes = 0;       // VmSize
  uint64_t locked_bytes = 0;      // VmLck
  uint64_t pinned_bytes = 0;      // VmPin
  uint64_t cap_permitted = 0;     // bit n: capability n
  uint64_t cap_effective = 0;
  uint64_t cap_bounding = 0;
  int seccomp = 0;  // 0 none, 1 strict, 2 filter
  bool no_new_privs = false;
  uint64_t threads = 1;
  bool has_memory = false;  // false: kernel thread, zombie, or a main thread that has ended
};

// nullopt: unlimited. Bytes, as setrlimit(2) counts them.
struct MemlockLimits {
  std::optional<uint64_t> soft;
  std::optional<uint64_t> hard;
};

absl::StatusOr<ProcessStatus> ParseStatus(absl::string_view text);
absl::StatusOr<ProcessStatus> ReadStatus(pid_t pid);  // or of any thread

// Whose files in /proc tell of the memory of process `pid`: `pid`, or one of its threads
// where the main one has ended before them. Without any memory: `pid`.
pid_t TaskWithMemory(pid_t pid);

// By prlimit(2) where permitted, else from /proc/PID/limits, which everyone can read.
absl::StatusOr<MemlockLimits> ReadMemlockLimits(pid_t pid);

// The target of /proc/PID/exe, empty when it cannot be read.
std::string ReadExe(pid_t pid);

// True where /proc/PID/uid_map maps all uids one to one: capable() then sees
// the process's capabilities (user_namespaces(7)).
absl::StatusOr<bool> InInitialUserNamespace(pid_t pid);

// Who is uid 0 in the process's user namespace, as this one's counts uids.
std::optional<uid_t> NamespaceRoot(pid_t pid);

// All thread-group leaders in /proc, ascending.
absl::StatusOr<std::vector<pid_t>> ListProcesses();

}  // namespace pagewarden
