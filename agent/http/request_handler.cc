// SPDX-License-Identifier: Apache-2.0
#include "agent/http/request_handler.h"

#include <sys/socket.h>

#include <exception>
#include <utility>

#include "agent/http/deadline_stream.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxHeadBytes = 8 << 10;
// A scraper of this host sends its few hundred bytes at once.
constexpr std::chrono::seconds kHeadTime{2};
constexpr std::chrono::seconds kAnswerTime{10};

HttpRequest RequestOf(const httplib::Request& request, bool local) {
  HttpRequest result;
  result.method = request.method;
  result.path = request.path;
  for (const auto& [name, value] : request.params) result.parameters.emplace(name, value);
  result.accept = request.get_header_value("Accept");
  result.local = local;
  return result;
}

HttpResponse AnswerOf(const HttpHandler& handler, const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return {405, "text/plain; charset=utf-8", "only GET and HEAD\n"};
  }
  return handler(request);
}

}  // namespace

RequestHandler::RequestHandler(HttpHandler handler, bool local) {
  set_payload_max_length(0);
  set_default_headers({{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}});
  set_pre_routing_handler([handler = std::move(handler), local](const httplib::Request& request,
                                                                httplib::Response& response) {
    HttpResponse answer = AnswerOf(handler, RequestOf(request, local));
    response.status = answer.status;
    if (answer.status == 405) response.set_header("Allow", "GET, HEAD");
    response.set_content(answer.body, answer.content_type);
    return HandlerResponse::Handled;
  });
}

void RequestHandler::Serve(int socket) {
  DeadlineStream stream(socket);
  stream.set_deadline(DeadlineStream::Clock::now() + kHeadTime);
  if (!stream.ReadHead(kMaxHeadBytes)) return;
  stream.set_deadline(DeadlineStream::Clock::now() + kAnswerTime);
  bool closed = false;
  // A connection is for one request: a scraper comes back after many seconds, and an idle
  // connection must not hold a thread.
  process_request(stream, true, closed, [](httplib::Request& request) { request.ranges.clear(); });
}

}  // namespace pagewarden
