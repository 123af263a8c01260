// SPDX-License-Identifier: Apache-2.0
#include "agent/http/server.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/http/connection_loop.h"
#include "agent/http/listener.h"
#include "agent/http/request_handler.h"

namespace pagewarden {
namespace {

// Each listener has its own, so that what is busy with one leaves the other alone.
constexpr size_t kAnswerers = 2;

// A listener with its threads.
struct Endpoint {
  Endpoint(UniqueFd listener, UniqueFd wake, HttpHandler handler, bool local)
      : requests(std::move(handler), local),
        connections(std::move(listener), std::move(wake), kAnswerers,
                    [this](const std::string& request) { return requests.Answer(request); }) {}

  RequestHandler requests;
  ConnectionLoop connections;
};

}  // namespace

struct HttpServer::State {
  absl::Status Serve(UniqueFd listener, HttpHandler handler, bool local) {
    UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake.ok()) return absl::UnavailableError(absl::StrCat("eventfd: ", strerror(errno)));
    endpoints.emplace_back(std::move(listener), std::move(wake), std::move(handler), local);
    return absl::OkStatus();
  }

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
    const absl::Status served = state.Serve(*std::move(listener), handler, false);
    if (!served.ok()) return served;
  }
  if (!options.socket_path.empty()) {
    auto listener = ListenOnPath(options.socket_path);
    if (!listener.ok()) return listener.status();
    state.socket_path = options.socket_path;
    const absl::Status served = state.Serve(*std::move(listener), std::move(handler), true);
    if (!served.ok()) return served;
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
