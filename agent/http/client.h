// SPDX-License-Identifier: Apache-2.0
// Asks an HTTP server, over TCP, TLS or a Unix socket.
//
//   auto response = Get("/run/pagewarden/agent.sock", "/v1/status", absl::Seconds(5));
//   auto response = Get("http://127.0.0.1:9090", "/api/v1/query?query=up", absl::Seconds(30));
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/http/message.h"

namespace pagewarden {

// `server`: "http://HOST[:PORT][/PREFIX]", "https://…", or the path of a Unix socket, which
// begins with "/". `target` is path and query, encoded. Whatever the status is, it is the answer.
// InvalidArgument: no such form of `server`. Unavailable: nobody answers. DeadlineExceeded:
// not within `timeout`, all in all. ResourceExhausted: a body above 64 MiB.
absl::StatusOr<HttpResponse> Get(const std::string& server, const std::string& target,
                                 absl::Duration timeout,
                                 const std::map<std::string, std::string>& headers = {});

// One part of a query, percent-encoded.
std::string EncodeQuery(const std::string& text);

}  // namespace pagewarden
