// SPDX-License-Identifier: Apache-2.0
#include "agent/http/connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace pagewarden {
namespace {

constexpr size_t kMaxHeadBytes = 8 << 10;
// A scraper of this host sends its few hundred bytes at once.
constexpr std::chrono::seconds kHeadTime{2};
constexpr std::chrono::seconds kAnswerTime{10};

}  // namespace

HttpConnection::HttpConnection(UniqueFd socket, Clock::time_point now)
    : socket_(std::move(socket)), deadline_(now + kHeadTime) {}

short HttpConnection::events() const {
  if (state_ == State::kReading) return POLLIN;
  return state_ == State::kWriting ? POLLOUT : short{0};
}

void HttpConnection::Go() {
  if (state_ == State::kReading) Read();
  if (state_ == State::kWriting) Write();
}

void HttpConnection::Read() {
  char buffer[2048];
  for (;;) {
    const size_t room = std::min(sizeof(buffer), kMaxHeadBytes - in_.size());
    const ssize_t count = room == 0 ? 0 : recv(socket_.get(), buffer, room, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return End();
    const size_t seen = std::min<size_t>(in_.size(), 3);
    in_.append(buffer, static_cast<size_t>(count));
    if (in_.find("\r\n\r\n", in_.size() - static_cast<size_t>(count) - seen) != std::string::npos) {
      state_ = State::kAnswering;
      deadline_ = Clock::time_point::max();
      return;
    }
  }
}

void HttpConnection::Answer(std::string bytes, Clock::time_point now) {
  out_ = std::move(bytes);
  state_ = State::kWriting;
  deadline_ = now + kAnswerTime;
  Write();
}

void HttpConnection::Write() {
  while (sent_ < out_.size()) {
    const ssize_t count =
        send(socket_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) break;
    sent_ += static_cast<size_t>(count);
  }
  End();
}

}  // namespace pagewarden
