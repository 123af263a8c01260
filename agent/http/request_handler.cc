// SPDX-License-Identifier: Apache-2.0
#include "agent/http/request_handler.h"

#include <string.h>

#include <algorithm>
#include <utility>

namespace pagewarden {
namespace {

// What the parser reads and writes, in memory.
class MemoryStream : public httplib::Stream {
 public:
  explicit MemoryStream(const std::string& in) : in_(in) {}

  std::string TakeOutput() { return std::move(out_); }

  bool is_readable() const override { return read_ < in_.size(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, size_t size) override {
    const size_t count = std::min(size, in_.size() - read_);
    memcpy(to, in_.data() + read_, count);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, size_t size) override {
    out_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  const std::string& in_;
  size_t read_ = 0;
  std::string out_;
};

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

std::string RequestHandler::Answer(const std::string& request) {
  MemoryStream stream(request);
  bool closed = false;
  // A connection is for one request: a scraper comes back after many seconds, and an idle
  // connection must not hold a thread.
  process_request(stream, true, closed, [](httplib::Request& request) { request.ranges.clear(); });
  return stream.TakeOutput();
}

}  // namespace pagewarden
