// SPDX-License-Identifier: Apache-2.0
// Requests and responses as the agent's server and client pass them on.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace pagewarden {

struct HttpRequest {
  std::string method;                             // "GET" or "HEAD"
  std::string path;                               // decoded, without the query: "/v1/events"
  std::map<std::string, std::string> parameters;  // of the query, decoded; the first of each name
  std::string accept;                             // of the header; empty: none
  bool local = false;                             // came over the Unix socket
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Called by several threads at once. Must not throw.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace pagewarden
