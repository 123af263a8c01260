// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/check_talk.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxLineBytes = 16 << 20;
constexpr size_t kPieceBytes = 64 << 10;

absl::Status Gone() { return absl::UnavailableError("the other side has gone"); }

int PollMilliseconds(absl::Duration timeout) {
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(timeout), 0, INT_MAX));
}

}  // namespace

absl::Status LineTalk::Say(absl::string_view line) {
  const std::string text = absl::StrCat(line, "\n");
  size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t done = send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return Gone();
    sent += static_cast<size_t>(done);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> LineTalk::Hear(absl::Duration timeout) {
  for (;;) {
    const size_t end = received_.find('\n');
    if (end != received_.npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return std::optional<std::string>(std::move(line));
    }
    if (received_.size() > kMaxLineBytes) return absl::ResourceExhaustedError("a line too long");
    pollfd wanted = {socket_, POLLIN, 0};
    const int ready = poll(&wanted, 1, PollMilliseconds(timeout));
    if (ready == 0) return std::optional<std::string>();
    if (ready < 0 && errno != EINTR) return Gone();
    if (ready < 0) continue;
    const size_t used = received_.size();
    received_.resize(used + kPieceBytes);
    const ssize_t got = recv(socket_, received_.data() + used, kPieceBytes, 0);
    received_.resize(used + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0 || (got < 0 && errno != EINTR)) return Gone();
  }
}

}  // namespace pagewarden
