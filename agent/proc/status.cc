// SPDX-License-Identifier: Apache-2.0
#include "agent/proc/status.h"

#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/proc/limits.h"
#include "agent/proc/parse.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;

std::string ProcPath(pid_t pid, absl::string_view file) {
  return absl::StrCat("/proc/", pid, "/", file);
}

// The kernel prints a newline of the name as \n and a backslash as \\ (fs/proc/array.c).
std::string UnescapeName(absl::string_view escaped) {
  std::string name;
  for (size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && i + 1 < escaped.size()) {
      ++i;
      name += escaped[i] == 'n' ? '\n' : escaped[i];
    } else {
      name += escaped[i];
    }
  }
  return name;
}

bool ParseKilobytes(absl::string_view text, uint64_t& bytes) {
  uint64_t kilobytes = 0;
  if (!ConsumeDecimal(text, kilobytes) || text != " kB") return false;
  if (kilobytes > std::numeric_limits<uint64_t>::max() / 1024) return false;
  bytes = kilobytes * 1024;
  return true;
}

// real, effective, saved, file system
bool ParseUids(absl::string_view text, ProcessStatus& status) {
  uint64_t real = 0;
  uint64_t effective = 0;
  if (!ConsumeDecimal(text, real) || !ConsumeChar(text, '\t') || !ConsumeDecimal(text, effective) ||
      std::max(real, effective) > std::numeric_limits<uid_t>::max()) {
    return false;
  }
  status.real_uid = static_cast<uid_t>(real);
  status.uid = static_cast<uid_t>(effective);
  return true;
}

bool ParseSet(absl::string_view text, uint64_t& set) {
  return ConsumeHex(text, set) && text.empty();
}

bool ParseSmall(absl::string_view text, int& value) {
  return absl::SimpleAtoi(text, &value) && value >= 0;
}

bool ParseFlag(absl::string_view text, bool& value) {
  int number = 0;
  if (!ParseSmall(text, number)) return false;
  value = number != 0;
  return true;
}

// The names of `path` that are pids, ascending.
absl::StatusOr<std::vector<pid_t>> ListNumbers(const std::string& path) {
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) return absl::ErrnoToStatus(errno, path);
  absl::Cleanup close_directory = [directory] { closedir(directory); };

  std::vector<pid_t> pids;
  errno = 0;
  while (const dirent* entry = readdir(directory)) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(entry->d_name, &pid) && pid > 0) pids.push_back(pid);
    errno = 0;
  }
  if (errno != 0) return absl::ErrnoToStatus(errno, path);
  std::sort(pids.begin(), pids.end());
  return pids;
}

struct Seen {
  bool name = false;
  bool uid = false;
  bool caps = false;
};

// False: a line this program relies on is not of the documented form.
bool ParseStatusLine(absl::string_view key, absl::string_view value, ProcessStatus& status,
                     Seen& seen) {
  if (key == "Name") {
    status.comm = UnescapeName(value);
    return seen.name = true;
  }
  value = absl::StripLeadingAsciiWhitespace(value);
  if (key == "Uid") return seen.uid = ParseUids(value, status);
  if (key == "VmPeak") return ParseKilobytes(value, status.peak_total_bytes);
  if (key == "VmSize") return ParseKilobytes(value, status.total_bytes);
  if (key == "VmLck") return status.has_memory = ParseKilobytes(value, status.locked_bytes);
  if (key == "VmPin") return ParseKilobytes(value, status.pinned_bytes);
  if (key == "Threads") return ConsumeDecimal(value, status.threads) && value.empty();
  if (key == "CapPrm") return ParseSet(value, status.cap_permitted);
  if (key == "CapEff") return seen.caps = ParseSet(value, status.cap_effective);
  if (key == "CapBnd") return ParseSet(value, status.cap_bounding);
  if (key == "Seccomp") return ParseSmall(value, status.seccomp);
  if (key == "NoNewPrivs") return ParseFlag(value, status.no_new_privs);
  return true;
}

}  // namespace

absl::StatusOr<ProcessStatus> ParseStatus(absl::string_view text) {
  ProcessStatus status;
  Seen seen;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(":\t", 1));
    if (!ParseStatusLine(field.first, field.second, status, seen)) {
      return absl::InvalidArgumentError(absl::StrCat("status: ", field.first, " is malformed"));
    }
  }
  if (!seen.name || !seen.uid || !seen.caps) {
    return absl::InvalidArgumentError("status: Name, Uid or CapEff is missing");
  }
  return status;
}

absl::StatusOr<ProcessStatus> ReadStatus(pid_t pid) {
  auto text = ReadBoundedFile(ProcPath(pid, "status"), kMaxTextBytes);
  if (!text.ok()) return text.status();
  return ParseStatus(*text);
}

absl::StatusOr<MemlockLimits> ReadMemlockLimits(pid_t pid) {
  struct rlimit64 limit;
  if (prlimit64(pid, RLIMIT_MEMLOCK, nullptr, &limit) == 0) {
    return MemlockLimits{LimitFromRlim(limit.rlim_cur), LimitFromRlim(limit.rlim_max)};
  }
  auto text = ReadBoundedFile(ProcPath(pid, "limits"), kMaxTextBytes);
  if (!text.ok()) return text.status();
  return ParseMemlockLimits(*text);
}

std::string ReadExe(pid_t pid) { return ReadLink(ProcPath(pid, "exe")).value_or(""); }

absl::StatusOr<bool> InInitialUserNamespace(pid_t pid) {
  auto text = ReadBoundedFile(ProcPath(pid, "uid_map"), kMaxTextBytes);
  if (!text.ok()) return text.status();
  const std::vector<absl::string_view> fields =
      absl::StrSplit(*text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  return fields == std::vector<absl::string_view>{"0", "0", "4294967295"};
}

std::optional<uid_t> NamespaceRoot(pid_t pid) {
  const auto text = ReadBoundedFile(ProcPath(pid, "uid_map"), kMaxTextBytes);
  if (!text.ok()) return std::nullopt;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint32_t outside = 0;
    if (fields.size() == 3 && fields[0] == "0" && absl::SimpleAtoi(fields[1], &outside)) {
      return outside;
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<pid_t>> ListProcesses() { return ListNumbers("/proc"); }

pid_t TaskWithMemory(pid_t pid) {
  const auto status = ReadStatus(pid);
  if (!status.ok() || status->has_memory || status->threads < 2) return pid;
  const auto threads = ListNumbers(ProcPath(pid, "task"));
  if (!threads.ok()) return pid;
  for (const pid_t thread : *threads) {
    const auto of_thread = ReadStatus(thread);
    if (of_thread.ok() && of_thread->has_memory) return thread;
  }
  return pid;
}

}  // namespace pagewarden
