// SPDX-License-Identifier: Apache-2.0
// One connection: the head of one request comes in, one answer goes out. Nothing here waits.
#pragma once

#include <chrono>
#include <string>

#include "agent/base/unique_fd.h"

namespace pagewarden {

// Not thread-safe.
class HttpConnection {
 public:
  using Clock = std::chrono::steady_clock;
  enum class State {
    kReading,    // until the empty line behind the headers is there
    kAnswering,  // somebody makes the answer
    kWriting,
    kDone  // to be closed
  };

  // `socket` does not block.
  HttpConnection(UniqueFd socket, Clock::time_point now);

  State state() const { return state_; }
  int fd() const { return socket_.get(); }
  size_t waiting_bytes() const { return out_.size() - sent_; }
  // Never while somebody makes the answer.
  Clock::time_point deadline() const { return deadline_; }
  // For poll(2); 0: nothing to wait for.
  short events() const;

  // Reads, or writes, what can be at once.
  void Go();
  // Once it is kAnswering.
  std::string TakeRequest() { return std::move(in_); }
  void Answer(std::string bytes, Clock::time_point now);
  void End() { state_ = State::kDone; }

 private:
  void Read();
  void Write();

  UniqueFd socket_;
  State state_ = State::kReading;
  Clock::time_point deadline_;
  std::string in_;
  std::string out_;
  size_t sent_ = 0;
};

}  // namespace pagewarden
