// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/bounded_writer.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/base/steady_now.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kPatience = absl::Milliseconds(200);

bool IsWritable(int fd, absl::Time deadline) {
  for (;;) {
    const absl::Duration left = std::max(absl::ZeroDuration(), deadline - SteadyNow());
    pollfd entry = {fd, POLLOUT, 0};
    const int ready = poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(left)));
    if (ready >= 0 || errno != EINTR) return ready != 0;
  }
}

// Of whole lines as many as go in at once, so that they do not mix with those of another
// writer; of a longer line a part.
size_t ChunkOf(absl::string_view bytes) {
  const absl::string_view most = bytes.substr(0, PIPE_BUF);
  const size_t line_break = most.rfind('\n');
  return line_break == absl::string_view::npos ? most.size() : line_break + 1;
}

}  // namespace

// A pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting (pipe(7)).
size_t BoundedWriter::WriteSome(absl::string_view bytes, std::string& error) {
  const absl::Time deadline = SteadyNow() + (is_slow_ ? absl::ZeroDuration() : kPatience);
  size_t done = 0;
  while (done < bytes.size()) {
    is_slow_ = !IsWritable(fd_, deadline);
    if (is_slow_) {
      error = "nobody reads them";
      return done;
    }
    const absl::string_view left = bytes.substr(done);
    const ssize_t written = write(fd_, left.data(), ChunkOf(left));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) {
      error = strerror(errno);
      return done;
    }
    done += static_cast<size_t>(written);
  }
  return done;
}

std::string BoundedWriter::Write(absl::string_view lines) {
  std::string error;
  rest_.erase(0, WriteSome(rest_, error));
  if (!error.empty()) return error;
  const size_t done = WriteSome(lines, error);
  const bool is_begun = done > 0 && lines[done - 1] != '\n';
  if (is_begun) rest_ = std::string(lines.substr(done, lines.find('\n', done) + 1 - done));
  return error;
}

}  // namespace pagewarden
