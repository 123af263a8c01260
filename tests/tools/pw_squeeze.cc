// SPDX-License-Identifier: Apache-2.0
// pw-squeeze PID…: asks the kernel to push out every writable private page of
// the processes (process_madvise(2), MADV_PAGEOUT), then syncs. Deterministic
// where memory pressure is not. The kernel refuses locked mappings: that is
// what the tests are about.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "agent/base/exit_codes.h"
#include "agent/proc/mappings.h"

namespace pagewarden {
namespace {

struct Squeezed {
  uint64_t bytes = 0;
  int mappings = 0;
  int refused = 0;
};

int OpenProcess(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

ssize_t PageOut(int process, const Mapping& mapping) {
  iovec range;
  range.iov_base = reinterpret_cast<void*>(mapping.start);
  range.iov_len = mapping.end - mapping.start;
  return syscall(SYS_process_madvise, process, &range, 1, MADV_PAGEOUT, 0);
}

// EINVAL: the mapping is locked, or of a kind that is never pushed out.
bool Squeeze(int process, const std::vector<Mapping>& mappings, Squeezed& squeezed) {
  for (const Mapping& mapping : mappings) {
    if (!mapping.writable || mapping.shared) continue;
    const ssize_t bytes = PageOut(process, mapping);
    if (bytes < 0 && errno != EINVAL && errno != ENOMEM) return false;
    ++(bytes < 0 ? squeezed.refused : squeezed.mappings);
    if (bytes > 0) squeezed.bytes += static_cast<uint64_t>(bytes);
  }
  return true;
}

bool SqueezeProcess(pid_t pid) {
  const int process = OpenProcess(pid);
  if (process < 0) {
    std::cerr << "pw-squeeze: process " << pid << " : " << strerror(errno) << "\n";
    return false;
  }
  absl::Cleanup close_process = [process] { close(process); };
  const auto mappings = ReadMappings(pid);
  if (!mappings.ok()) {
    std::cerr << "pw-squeeze: process " << pid << " : " << mappings.status().message() << "\n";
    return false;
  }
  Squeezed squeezed;
  if (!Squeeze(process, *mappings, squeezed)) {
    std::cerr << "pw-squeeze: process " << pid << " : process_madvise: " << strerror(errno) << "\n";
    return false;
  }
  std::cout << pid << ": " << squeezed.mappings << " mappings (" << squeezed.bytes
            << " bytes) advised, " << squeezed.refused << " refused\n";
  return true;
}

int Main(int argc, char** argv) {
  CLI::App app{
      "Asks the kernel to push every writable private page of the processes out of memory, then "
      "syncs. Locked mappings are refused by the kernel and counted as such.",
      "pw-squeeze"};
  std::vector<pid_t> pids;
  app.add_option("pid", pids, "Processes")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitClean : kExitUsage;
  }
  bool complete = true;
  for (const pid_t pid : pids) complete &= SqueezeProcess(pid);
  sync();
  return complete ? kExitClean : kExitPartialData;
}

}  // namespace
}  // namespace pagewarden

int main(int argc, char** argv) { return pagewarden::Main(argc, argv); }
