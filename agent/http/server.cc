// SPDX-License-Identifier: Apache-2.0
#include "agent/http/server.h"

#include <unistd.h>

#include <list>
#include <utility>

#include "agent/http/connection_pool.h"
#include "agent/http/listener.h"
#include "agent/http/request_handler.h"

namespace pagewarden {
namespace {

// Each listener has its own, so that what is busy with one leaves the other alone.
constexpr size_t kThreads = 4;

// A listener with its threads.
struct Endpoint {
  Endpoint(UniqueFd listener, HttpHandler handler, bool local)
      : requests(std::move(handler), local),
        pool(std::move(listener), kThreads, [this](int socket) { requests.Serve(socket); }) {}

  RequestHandler requests;
  ConnectionPool pool;
};

}  // namespace

struct HttpServer::State {
  std::list<Endpoint> endpoints;
  std::string socket_path;
  int port = 0;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;

HttpServer& HttpServer::operator=(HttpServer&& other) noexcept {
  Stop();
  state_ = std::move(other.state_);
  return *this;
}

HttpServer::~HttpServer() { Stop(); }

absl::StatusOr<HttpServer> HttpServer::Start(const HttpServerOptions& options,
                                             HttpHandler handler) {
  HttpServer server(std::make_unique<State>());
  State& state = *server.state_;
  if (!options.listen.empty()) {
    auto listener = ListenOnTcp(options.listen);
    if (!listener.ok()) return listener.status();
    state.port = PortOf(listener->get());
    state.endpoints.emplace_back(*std::move(listener), handler, false);
  }
  if (!options.socket_path.empty()) {
    auto listener = ListenOnPath(options.socket_path);
    if (!listener.ok()) return listener.status();
    state.socket_path = options.socket_path;
    state.endpoints.emplace_back(*std::move(listener), std::move(handler), true);
  }
  return server;
}

void HttpServer::Stop() {
  if (state_ == nullptr) return;
  // Before the listener closes: a new server must not find its own socket removed.
  if (!state_->socket_path.empty()) unlink(state_->socket_path.c_str());
  state_.reset();
}

int HttpServer::port() const { return state_ == nullptr ? 0 : state_->port; }

}  // namespace pagewarden
