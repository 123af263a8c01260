// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/runtime_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/base/files.h"
#include "agent/policy/effective_mode.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxBytes = 64;

std::string PathIn(const std::string& directory) { return absl::StrCat(directory, "/agent.lock"); }

// The whole file, for the open file description: it can be asked about without taking it, and
// ends with the last descriptor (fcntl(2), F_OFD_SETLK).
struct flock WholeFile() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool IsHeld(int fd) {
  struct flock lock = WholeFile();
  return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::string Holder(int fd, const std::string& path) {
  const auto text = ReadAll(fd, kMaxBytes, path);
  if (!text.ok() || text->empty()) return "another agent";
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
  return absl::StrCat("the agent with pid ", lines[0]);
}

}  // namespace

absl::StatusOr<RuntimeLock> RuntimeLock::Take(const std::string& directory,
                                              std::optional<abi::Mode> max_mode) {
  const std::string path = PathIn(directory);
  // For its owner alone: who can read it can lock it for reading. Older agents made it 0644.
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.ok() || fchmod(fd.get(), 0600) != 0) return ErrnoStatus(errno, path);
  struct flock lock = WholeFile();
  if (fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) return ErrnoStatus(errno, path);
    return absl::AlreadyExistsError(absl::StrCat(Holder(fd.get(), path), " uses ", directory,
                                                 "; another one needs its own --runtime-dir"));
  }
  const std::string text =
      absl::StrCat(getpid(), "\n", max_mode ? ModeWord(*max_mode) : "", max_mode ? "\n" : "");
  if (ftruncate(fd.get(), 0) != 0 ||
      pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return ErrnoStatus(errno, path);
  }
  return RuntimeLock(std::move(fd));
}

absl::StatusOr<std::optional<abi::Mode>> ReadAgentMaxMode(const std::string& directory) {
  const std::string path = PathIn(directory);
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!fd.ok()) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return std::nullopt;
    return ErrnoStatus(errno, path);
  }
  if (!IsHeld(fd.get())) return std::nullopt;
  const absl::StatusOr<std::string> text = ReadTrustedFile(path, kMaxBytes);
  if (!text.ok()) return text.status();
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
  return lines.size() < 2 ? std::nullopt : ParseMode(lines[1]);
}

}  // namespace pagewarden
