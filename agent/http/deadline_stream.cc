// SPDX-License-Identifier: Apache-2.0
#include "agent/http/deadline_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>

namespace pagewarden {

bool DeadlineStream::Wait(short events) const {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
    if (left.count() <= 0) return false;
    pollfd entry = {socket_, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<long>(left.count(), 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool DeadlineStream::is_readable() const { return head_read_ < head_.size() || Wait(POLLIN); }
bool DeadlineStream::is_writable() const { return Wait(POLLOUT); }

ssize_t DeadlineStream::Receive(char* to, size_t size) {
  for (;;) {
    const ssize_t count = recv(socket_, to, size, 0);
    if (count >= 0) return count;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !Wait(POLLIN)) return -1;
  }
}

bool DeadlineStream::ReadHead(size_t max_bytes) {
  while (head_.find("\r\n\r\n") == std::string::npos) {
    char buffer[2048];
    if (head_.size() >= max_bytes) return false;
    const ssize_t count = Receive(buffer, std::min(sizeof(buffer), max_bytes - head_.size()));
    if (count <= 0) return false;
    head_.append(buffer, static_cast<size_t>(count));
  }
  return true;
}

ssize_t DeadlineStream::read(char* to, size_t size) {
  const size_t buffered = std::min(size, head_.size() - head_read_);
  if (buffered == 0) return Receive(to, size);
  memcpy(to, head_.data() + head_read_, buffered);
  head_read_ += buffered;
  return static_cast<ssize_t>(buffered);
}

ssize_t DeadlineStream::write(const char* from, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = send(socket_, from + done, size - done, MSG_NOSIGNAL);
    if (count >= 0) {
      done += static_cast<size_t>(count);
    } else if (errno != EINTR && (errno != EAGAIN || !Wait(POLLOUT))) {
      return -1;
    }
  }
  return static_cast<ssize_t>(size);
}

}  // namespace pagewarden
