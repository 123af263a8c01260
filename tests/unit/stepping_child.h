// SPDX-License-Identifier: Apache-2.0
// A child process that does what it is told, a step at a time, so that a test knows
// what the kernel's books say between the steps.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <utility>

namespace pagewarden {

class SteppingChild {
 public:
  // `body(step)` runs in the child; step() returns when the parent calls Next().
  using Step = std::function<void()>;
  explicit SteppingChild(const std::function<void(const Step&)>& body) {
    int orders[2];
    int answers[2];
    if (pipe2(orders, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      close(orders[1]);
      close(answers[0]);
      char byte = 0;
      const auto step = [&] {
        if (write(answers[1], &byte, 1) != 1 || read(orders[0], &byte, 1) != 1) _exit(2);
      };
      body(step);
      _exit(0);
    }
    close(orders[0]);
    close(answers[1]);
    orders_ = orders[1];
    answers_ = answers[0];
    WaitForStep();
  }
  SteppingChild(const SteppingChild&) = delete;
  SteppingChild& operator=(const SteppingChild&) = delete;
  ~SteppingChild() { End(); }

  pid_t pid() const { return pid_; }

  // Lets the child go on to its next step. False: it has ended, or execs.
  bool Next() {
    char byte = 0;
    return write(orders_, &byte, 1) == 1 && WaitForStep();
  }

  // Kills the child, unless it ended by itself. Its wait status.
  int End() {
    if (pid_ <= 0) return status_;
    close(orders_);
    close(answers_);
    kill(pid_, SIGKILL);
    waitpid(pid_, &status_, 0);
    pid_ = -1;
    return status_;
  }

 private:
  bool WaitForStep() {
    char byte = 0;
    return read(answers_, &byte, 1) == 1;
  }

  pid_t pid_ = -1;
  int orders_ = -1;
  int answers_ = -1;
  int status_ = 0;
};

}  // namespace pagewarden
