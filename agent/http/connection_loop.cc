// SPDX-License-Identifier: Apache-2.0
#include "agent/http/connection_loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>

#include "agent/base/blocked_signals.h"

namespace pagewarden {
namespace {

constexpr size_t kMostConnections = 256;
constexpr size_t kMaxAcceptsAtOnce = 64;
// All answers that wait for their readers: a scrape of the largest host has 1 MiB.
constexpr size_t kMaxWaitingBytes = 16 << 20;
// Out of descriptors and connections of our own: others must end first.
constexpr int kPauseMs = 50;
constexpr int kLongestWaitMs = 1000;

using State = HttpConnection::State;

// The agent needs most of its descriptors itself.
size_t MostConnections() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMostConnections;
  return std::clamp<size_t>(limit.rlim_cur / 8, 4, kMostConnections);
}

}  // namespace

ConnectionLoop::ConnectionLoop(UniqueFd listener, UniqueFd wake, size_t answerers, Answerer answer)
    : listener_(std::move(listener)),
      wake_(std::move(wake)),
      answer_(std::move(answer)),
      max_connections_(MostConnections()) {
  const BlockedSignals blocked;
  threads_.emplace_back([this] { Run(); });
  for (size_t i = 0; i < answerers; ++i) threads_.emplace_back([this] { MakeAnswers(); });
}

ConnectionLoop::~ConnectionLoop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    jobs_.clear();
  }
  has_job_.notify_all();
  // The answerers first: the loop sends what they have made.
  for (size_t i = 1; i < threads_.size(); ++i) threads_[i].join();
  eventfd_write(wake_.get(), 1);
  threads_[0].join();
}

void ConnectionLoop::MakeAnswers() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    has_job_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.bytes = answer_(job.bytes);
    lock.lock();
    answers_.push_back(std::move(job));
    eventfd_write(wake_.get(), 1);
  }
}

void ConnectionLoop::SendAnswers() {
  std::vector<Job> answers;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers.swap(answers_);
  }
  for (Job& job : answers) {
    job.connection->Answer(std::move(job.bytes), Clock::now());
  }
  if (!answers.empty()) BoundAnswers();
}

// Who takes its answer takes it at once. The oldest is the slowest.
void ConnectionLoop::BoundAnswers() {
  size_t bytes = 0;
  for (auto it = connections_.rbegin(); it != connections_.rend(); ++it) {
    if (it->state() != State::kWriting) continue;
    bytes += it->waiting_bytes();
    if (bytes > kMaxWaitingBytes) it->End();
  }
}

// Ends who has had the longest time. False: all are being answered.
bool ConnectionLoop::MakeRoom() {
  for (const State state : {State::kReading, State::kWriting}) {
    const auto found =
        std::find_if(connections_.begin(), connections_.end(),
                     [=](const HttpConnection& one) { return one.state() == state; });
    if (found == connections_.end()) continue;
    connections_.erase(found);
    return true;
  }
  return false;
}

void ConnectionLoop::Accept() {
  for (size_t i = 0; i < kMaxAcceptsAtOnce; ++i) {
    is_full_ = connections_.size() >= max_connections_ && !MakeRoom();
    if (is_full_) return;
    UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.ok()) {
      const bool is_out = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
      is_full_ = is_out && !MakeRoom();
      return;
    }
    connections_.emplace_back(std::move(socket), Clock::now());
    Go(std::prev(connections_.end()));  // most requests are there already
  }
}

void ConnectionLoop::Go(Connections::iterator connection) {
  const State before = connection->state();
  connection->Go();
  if (before != State::kReading || connection->state() != State::kAnswering) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back({connection, connection->TakeRequest()});
  }
  has_job_.notify_one();
}

void ConnectionLoop::Close() {
  const auto now = Clock::now();
  connections_.remove_if([now](const HttpConnection& one) {
    return one.state() == State::kDone || one.deadline() <= now;
  });
}

int ConnectionLoop::Wait() {
  std::vector<pollfd> entries = {{wake_.get(), POLLIN, 0},
                                 {is_full_ ? -1 : listener_.get(), POLLIN, 0}};
  for (const HttpConnection& one : connections_) {
    entries.push_back({one.events() == 0 ? -1 : one.fd(), one.events(), 0});
  }
  int timeout = connections_.empty() ? -1 : kLongestWaitMs;
  if (is_full_) timeout = kPauseMs;
  const int ready = poll(entries.data(), entries.size(), timeout);
  size_t i = 2;
  for (auto it = connections_.begin(); it != connections_.end(); ++it, ++i) {
    if (ready > 0 && entries[i].revents != 0) Go(it);
  }
  Close();
  if (is_full_ || entries[1].revents != 0) Accept();
  return ready;
}

void ConnectionLoop::Run() {
  for (;;) {
    if (Wait() < 0 && errno != EINTR) return;
    eventfd_t unused;
    eventfd_read(wake_.get(), &unused);
    SendAnswers();
    Close();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stop_ && answers_.empty()) return;
  }
}

}  // namespace pagewarden
