// SPDX-License-Identifier: Apache-2.0
#include "agent/proc/sysv_shm.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/base/unique_fd.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

// 2^15 segments at most (SHMMNI), 190 bytes each.
constexpr size_t kMaxTableBytes = 8 << 20;
constexpr char kTable[] = "/proc/sysvipc/shm";
constexpr uint64_t kLocked = 02000;  // SHM_LOCKED of linux/shm.h, shown among the permissions

std::string NamespaceFile(pid_t pid) { return absl::StrCat("/proc/", pid, "/ns/ipc"); }

bool ParseOctal(absl::string_view text, uint64_t& value) {
  value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '7' || value >> 60 != 0) return false;
    value = value * 8 + static_cast<uint64_t>(digit - '0');
  }
  return !text.empty();
}

uint64_t WholePages(uint64_t bytes) {
  static const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t pages = bytes / page + (bytes % page != 0);
  return pages > std::numeric_limits<uint64_t>::max() / page ? bytes : pages * page;
}

// key shmid perms size cpid lpid nattch uid gid cuid cgid …
bool ParseLine(absl::string_view line, uint64_t& permissions, LockedSegment& segment) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (fields.size() < 11) return false;
  uint64_t bytes = 0;
  if (!absl::SimpleAtoi(fields[1], &segment.shmid) || !ParseOctal(fields[2], permissions) ||
      !absl::SimpleAtoi(fields[3], &bytes) || !absl::SimpleAtoi(fields[4], &segment.creator_pid) ||
      !absl::SimpleAtoi(fields[6], &segment.attached) ||
      !absl::SimpleAtoi(fields[7], &segment.owner)) {
    return false;
  }
  segment.bytes = WholePages(bytes);
  return true;
}

absl::StatusOr<std::vector<LockedSegment>> EnterAndRead(int namespace_fd) {
  if (setns(namespace_fd, CLONE_NEWIPC) != 0) {
    return absl::ErrnoToStatus(errno, "entering its ipc namespace");
  }
  return ReadLockedSegments();
}

}  // namespace

absl::StatusOr<std::vector<LockedSegment>> ParseLockedSegments(absl::string_view table) {
  std::vector<LockedSegment> segments;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(table, '\n', absl::SkipEmpty())) {
    if (++number == 1) continue;  // the heading
    LockedSegment segment;
    uint64_t permissions = 0;
    if (!ParseLine(line, permissions, segment)) {
      return absl::InvalidArgumentError(absl::StrCat(kTable, ": line ", number, " is malformed"));
    }
    if ((permissions & kLocked) != 0) segments.push_back(segment);
  }
  return segments;
}

absl::StatusOr<std::vector<LockedSegment>> ReadLockedSegments() {
  auto table = ReadBoundedFile(kTable, kMaxTableBytes);
  if (!table.ok()) return table.status();
  return ParseLockedSegments(*table);
}

absl::StatusOr<std::vector<LockedSegment>> ReadLockedSegmentsOf(pid_t pid) {
  const std::string path = NamespaceFile(pid);
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return absl::ErrnoToStatus(errno, path);
  absl::StatusOr<std::vector<LockedSegment>> segments;
  // A namespace is a thread's; the table is that of whoever opens it.
  try {
    std::thread([&] { segments = EnterAndRead(file.get()); }).join();
  } catch (const std::system_error& error) {
    return absl::ErrnoToStatus(error.code().value(), "starting a thread");
  }
  return segments;
}

absl::StatusOr<uint64_t> ReadIpcNamespace(pid_t pid) {
  const std::string path = NamespaceFile(pid);
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, path);
  return info.st_ino;
}

}  // namespace pagewarden
