// SPDX-License-Identifier: Apache-2.0
// Many processes that do nothing (sleepers.c), as long as this lives.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

extern char** environ;

namespace pagewarden::bench {

class Sleepers {
 public:
  // `program`: the path of sleepers. Waits until they all sleep.
  Sleepers(const char* program, int count) {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
    std::string number = std::to_string(count);
    char* arguments[] = {const_cast<char*>(program), number.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (posix_spawn(&pid_, program, &actions, nullptr, arguments, environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    stdin_ = in[1];
    char text[32] = {};
    if (read(out[0], text, sizeof(text) - 1) > 0) count_ = atoi(text);
    close(out[0]);
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;
  ~Sleepers() {
    close(stdin_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }

  int count() const { return count_; }

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int count_ = 0;
};

// sleepers, in the directory of this program.
inline std::string SleepersPath(const char* argv0) {
  const std::string self = argv0;
  const size_t slash = self.rfind('/');
  return (slash == std::string::npos ? "./" : self.substr(0, slash + 1)) + "sleepers";
}

}  // namespace pagewarden::bench
