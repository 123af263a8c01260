// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/runtime_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/base/files.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxBytes = 32;

std::string Holder(int fd, const std::string& path) {
  const auto text = ReadAll(fd, kMaxBytes, path);
  if (!text.ok() || text->empty()) return "another agent";
  return absl::StrCat("the agent with pid ", absl::StripAsciiWhitespace(*text));
}

}  // namespace

absl::StatusOr<RuntimeLock> RuntimeLock::Take(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/agent.lock");
  // For its owner alone: who can open it can lock it (flock(2)). Older agents made it 0644.
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.ok() || fchmod(fd.get(), 0600) != 0) return ErrnoStatus(errno, path);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus(errno, path);
    return absl::AlreadyExistsError(absl::StrCat(Holder(fd.get(), path), " uses ", directory,
                                                 "; another one needs its own --runtime-dir"));
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd.get(), 0) != 0 ||
      pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return ErrnoStatus(errno, path);
  }
  return RuntimeLock(std::move(fd));
}

}  // namespace pagewarden
