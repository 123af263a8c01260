// SPDX-License-Identifier: Apache-2.0
// A small HTTP server for one host's scrapers and for our own command line: on a TCP
// address, on a Unix socket, or on both. GET and HEAD only.
//
//   auto server = HttpServer::Start({"127.0.0.1:9876", "/run/pagewarden/agent.sock"}, Answer);
//   server->port();
//
// No client can stop it: connections, threads, headers and the time that a connection may
// take are bounded (connection.cc, connection_loop.cc). It trusts nothing of a request: routes go
// by the path alone, never by the Host header.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/http/message.h"

namespace pagewarden {

struct HttpServerOptions {
  std::string listen;       // "127.0.0.1:9876", "[::1]:9876"; port 0: any; empty: no TCP
  std::string socket_path;  // of the Unix socket, mode 0600; empty: none
};

class HttpServer {
 public:
  // InvalidArgument: an address that is none. Unavailable: the address or the socket is
  // taken by another live server. A socket that nobody listens on any more is replaced.
  static absl::StatusOr<HttpServer> Start(const HttpServerOptions& options, HttpHandler handler);
  HttpServer(HttpServer&&) noexcept;
  HttpServer& operator=(HttpServer&&) noexcept;
  ~HttpServer();  // Stop

  // Ends the listeners and waits for the requests in work; removes the Unix socket.
  void Stop();

  int port() const;  // of TCP; 0: none

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
