// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/cgroup_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "agent/cgroup/hierarchy.h"

namespace truth {
namespace {

constexpr int kAttempts = 1000;  // of ten milliseconds
constexpr useconds_t kPauseMicroseconds = 10000;
constexpr int kFirstProcessesFd = 800;  // above what a worker opens

void KillProcesses(const CgroupTree& tree) {
  for (const std::string& directory : tree.directories) {
    std::ifstream processes(directory + "/cgroup.procs");
    // 0: of another pid namespace; kill(0) would be this process group.
    for (pid_t pid = 0; processes >> pid;) {
      if (pid > 0) kill(pid, SIGKILL);
    }
  }
}

bool RemoveDirectories(const CgroupTree& tree) {
  bool removed = true;
  for (auto directory = tree.directories.rbegin(); directory != tree.directories.rend();
       ++directory) {
    if (rmdir(directory->c_str()) != 0 && errno != ENOENT) removed = false;
  }
  return removed;
}

void RemoveSegments(const Board& board) {
  for (uint32_t i = 0; i < kMaxSlots * kSegmentsASlot; ++i) {
    const int id = shmget(board.first_key + static_cast<int>(i), 0, 0);
    if (id >= 0) shmctl(id, IPC_RMID, nullptr);
  }
}

// What is being forked while it is killed is killed the next time.
bool CleanUp(const CgroupTree& tree, const Board& board) {
  for (int i = 0; i < kAttempts; ++i) {
    KillProcesses(tree);
    if (RemoveDirectories(tree)) {
      RemoveSegments(board);
      return true;
    }
    usleep(kPauseMicroseconds);
  }
  RemoveSegments(board);
  return false;
}

[[noreturn]] void WaitAndCleanUp(const CgroupTree& tree, const Board& board, int alive_fd) {
  setsid();  // a Ctrl-C is for the driver
  char byte;
  while (read(alive_fd, &byte, 1) < 0 && errno == EINTR) {
  }
  _exit(CleanUp(tree, board) ? 0 : 1);
}

}  // namespace

absl::StatusOr<CgroupTree> PlanCgroupTree() {
  const auto hierarchy = pagewarden::CgroupHierarchy::Find();
  if (!hierarchy.ok()) return hierarchy.status();
  const auto own = hierarchy->PathOf(getpid());
  if (!own.ok()) return own.status();
  CgroupTree tree;
  tree.paths.push_back(absl::StrCat(*own == "/" ? "" : *own, "/pagewarden-truth-", getpid()));
  for (uint32_t i = 1; i < kCgroups; ++i) {
    tree.paths.push_back(absl::StrCat(tree.paths[(i - 1) / 3], "/part-", i, ".service"));
  }
  for (const std::string& path : tree.paths) {
    tree.directories.push_back(hierarchy->DirectoryOf(path));
  }
  return tree;
}

absl::Status MakeCgroupTree(const CgroupTree& tree, Board& board) {
  for (uint32_t i = 0; i < kCgroups; ++i) {
    const std::string& directory = tree.directories[i];
    if (mkdir(directory.c_str(), 0755) != 0) return absl::ErrnoToStatus(errno, directory);
    const int fd = open((directory + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return absl::ErrnoToStatus(errno, directory);
    // Not closed by execve. Who opened it counts, not who writes (cgroup_procs_write).
    board.processes_fds[i] = dup2(fd, kFirstProcessesFd + static_cast<int>(i));
    close(fd);
  }
  return absl::OkStatus();
}

absl::StatusOr<Janitor> Janitor::Start(const CgroupTree& tree, const Board& board) {
  int alive[2];
  if (pipe2(alive, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe2");
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    close(alive[1]);
    WaitAndCleanUp(tree, board, alive[0]);
  }
  close(alive[0]);
  return Janitor(pid, alive[1]);
}

bool Janitor::Finish() {
  close(alive_fd_);
  for (;;) {
    int status = 0;
    const pid_t reaped = waitpid(-1, &status, 0);
    if (reaped == pid_) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (reaped < 0 && errno != EINTR) return false;
  }
}

}  // namespace truth
