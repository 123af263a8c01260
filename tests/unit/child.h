// SPDX-License-Identifier: Apache-2.0
// A process to look at, in the state that a test wants.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace pagewarden {

// A child that runs `act`, says whether it worked, and lives until this ends.
class Child {
 public:
  explicit Child(const std::function<bool()>& act) {
    int ready[2];
    if (pipe(ready) != 0) return;
    pid_ = fork();
    if (pid_ == 0) Live(act, ready[1]);
    close(ready[1]);
    char byte = 'n';
    ok_ = pid_ > 0 && read(ready[0], &byte, 1) == 1 && byte == 'y';
    close(ready[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;  // kill(-1) would end everything
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  bool ok() const { return ok_; }

 private:
  [[noreturn]] static void Live(const std::function<bool()>& act, int ready) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char byte = act() ? 'y' : 'n';
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // cleared by setresuid
    if (write(ready, &byte, 1) != 1) _exit(1);
    for (;;) pause();
  }

  pid_t pid_ = -1;
  bool ok_ = false;
};

}  // namespace pagewarden
