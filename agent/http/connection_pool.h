// SPDX-License-Identifier: Apache-2.0
// Threads that take turns at the connections of one listening socket.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "agent/base/unique_fd.h"

namespace pagewarden {

class ConnectionPool {
 public:
  // `serve` is called with a socket that does not block, by several threads at once; it must
  // not throw. The socket is closed behind it.
  ConnectionPool(UniqueFd listener, size_t threads, std::function<void(int)> serve);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();  // waits for what is being served

  int listener() const { return listener_.get(); }

 private:
  void Work();

  UniqueFd listener_;
  UniqueFd stop_;  // eventfd: readable for good once it is time to end
  std::function<void(int)> serve_;
  std::vector<std::thread> threads_;
};

}  // namespace pagewarden
