// SPDX-License-Identifier: Apache-2.0
#include "agent/http/connection_pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <utility>

namespace pagewarden {
namespace {

// Out of descriptors or memory: other connections must end first.
constexpr int kPauseMs = 50;

void Pause(int stop) {
  pollfd entry = {stop, POLLIN, 0};
  poll(&entry, 1, kPauseMs);
}

// Signals are for the agent's loop.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

ConnectionPool::ConnectionPool(UniqueFd listener, size_t threads, std::function<void(int)> serve)
    : listener_(std::move(listener)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      serve_(std::move(serve)) {
  const BlockedSignals blocked;
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

ConnectionPool::~ConnectionPool() {
  eventfd_write(stop_.get(), 1);
  for (std::thread& thread : threads_) thread.join();
}

void ConnectionPool::Work() {
  for (;;) {
    pollfd entries[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (poll(entries, 2, -1) < 0 && errno != EINTR) return;
    if (entries[1].revents != 0) return;
    const UniqueFd connection(
        accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.ok()) {
      serve_(connection.get());
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      Pause(stop_.get());
    }
  }
}

}  // namespace pagewarden
