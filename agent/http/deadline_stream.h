// SPDX-License-Identifier: Apache-2.0
// One connection whose reads and writes end at a deadline, however slowly the other
// side goes on.
#pragma once

#include <httplib.h>

#include <chrono>
#include <string>

namespace pagewarden {

class DeadlineStream : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;

  // `socket` does not block, and outlives this.
  explicit DeadlineStream(int socket) : socket_(socket) {}

  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }

  // Reads until the empty line behind the headers is there. False: the other side has
  // closed, or the head is longer than `max_bytes`, or the time is over.
  bool ReadHead(size_t max_bytes);

  bool is_readable() const override;
  bool is_writable() const override;
  // What ReadHead has read, then what comes. -1: the deadline, or an error.
  ssize_t read(char* to, size_t size) override;
  // All of it, or -1.
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  bool Wait(short events) const;  // until the deadline
  ssize_t Receive(char* to, size_t size);

  int socket_;
  Clock::time_point deadline_;
  std::string head_;
  size_t head_read_ = 0;
};

}  // namespace pagewarden
