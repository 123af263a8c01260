// SPDX-License-Identifier: Apache-2.0
// All connections of one listening socket: one thread reads requests and writes answers,
// and waits for nobody; others make the answers.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/base/unique_fd.h"
#include "agent/http/connection.h"

namespace pagewarden {

class ConnectionLoop {
 public:
  // The answer to a request's head, in bytes of HTTP. Called by several threads at once; must
  // not throw.
  using Answerer = std::function<std::string(const std::string& request)>;

  // `wake`: an eventfd that does not block.
  ConnectionLoop(UniqueFd listener, UniqueFd wake, size_t answerers, Answerer answer);
  ConnectionLoop(const ConnectionLoop&) = delete;
  ConnectionLoop& operator=(const ConnectionLoop&) = delete;
  // What is being answered is still sent, to those who take it at once.
  ~ConnectionLoop();

 private:
  using Connections = std::list<HttpConnection>;  // the oldest first
  using Clock = HttpConnection::Clock;

  struct Job {
    Connections::iterator connection;
    std::string bytes;  // the request, then the answer
  };

  void Run();
  void MakeAnswers();
  int Wait();  // and does what can be done; as poll(2)
  void Go(Connections::iterator connection);
  void Accept();
  bool MakeRoom();
  void SendAnswers();
  void BoundAnswers();
  void Close();

  const UniqueFd listener_;
  const UniqueFd wake_;
  const Answerer answer_;
  const size_t max_connections_;

  // The loop's alone.
  Connections connections_;
  bool is_full_ = false;  // nobody is accepted for the moment

  std::mutex mutex_;
  std::condition_variable has_job_;
  std::deque<Job> jobs_;  // this and what follows: under the mutex
  std::vector<Job> answers_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace pagewarden
