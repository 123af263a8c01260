// SPDX-License-Identifier: Apache-2.0
#include "agent/keeper/directory_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "agent/base/files.h"

namespace pagewarden {
namespace {

// IN_ATTRIB: a mode or an owner decides whether a file is trusted.
constexpr uint32_t kMask = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                           IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

// Of the directory itself, or of the whole watch: without a name, and for whoever asked.
constexpr uint32_t kWithoutName = IN_DELETE_SELF | IN_MOVE_SELF | IN_Q_OVERFLOW | IN_IGNORED;

std::string NameOf(const inotify_event& event) {
  const char* const name = reinterpret_cast<const char*>(&event) + sizeof(event);
  return std::string(name, strnlen(name, event.len));
}

}  // namespace

absl::Status DirectoryWatch::Arm(const std::vector<std::string>& directories,
                                 const std::vector<std::string>& files) {
  interests_.clear();
  fd_ = UniqueFd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd_.ok()) return ErrnoStatus(errno, "inotify");
  for (const std::string& directory : directories) {
    WatchAbove(directory);
    Watch(directory, /*all=*/true, "");
  }
  for (const std::string& file : files) WatchAbove(file);
  return absl::OkStatus();
}

void DirectoryWatch::Watch(const std::string& directory, bool all, const std::string& name) {
  const int descriptor = inotify_add_watch(fd_.get(), directory.c_str(), kMask);
  if (descriptor < 0) return;  // not there yet: one above tells when it is
  Interest& interest = interests_[descriptor];
  interest.all |= all;
  if (!name.empty()) interest.names.insert(name);
}

void DirectoryWatch::WatchAbove(const std::string& path) {
  for (size_t slash = path.rfind('/'); slash != std::string::npos && slash + 1 < path.size();) {
    const size_t end = path.find('/', slash + 1);
    Watch(path.substr(0, slash == 0 ? 1 : slash), false, path.substr(slash + 1, end - slash - 1));
    if (slash == 0) return;
    slash = path.rfind('/', slash - 1);
  }
}

bool DirectoryWatch::Drain() {
  alignas(inotify_event) char buffer[16384];
  bool is_ours = false;
  for (;;) {
    const ssize_t got = read(fd_.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return is_ours;
    for (const char* at = buffer; at < buffer + got;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      at += sizeof(event) + event.len;
      const auto found = interests_.find(event.wd);
      is_ours |= (event.mask & kWithoutName) != 0;
      if (found == interests_.end()) continue;
      is_ours |= found->second.all || found->second.names.count(NameOf(event)) > 0;
    }
  }
}

}  // namespace pagewarden
