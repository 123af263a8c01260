// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/base/unique_fd.h"
#include "agent/http/client.h"
#include "agent/http/server.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

HttpResponse Echo(const HttpRequest& request) {
  HttpResponse response;
  response.body = absl::StrCat(request.method, " ", request.path, request.local ? " local" : "");
  for (const auto& [name, value] : request.parameters) {
    absl::StrAppend(&response.body, " ", name, "=", value);
  }
  return response;
}

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    auto started = HttpServer::Start({"127.0.0.1:0", socket_}, Echo);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = std::make_unique<HttpServer>(*std::move(started));
  }

  std::string Url() const { return absl::StrCat("http://127.0.0.1:", server_->port()); }

  UniqueFd Connect() const {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(server_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  // Sends bytes as they are, and reads until the server closes.
  std::string Exchange(const std::string& bytes) const {
    const UniqueFd fd = Connect();
    EXPECT_EQ(send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t n; (n = recv(fd.get(), buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, n);
    return answer;
  }

  TempDirectory directory_;
  std::string socket_ = directory_.path() + "/agent.sock";
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersOverTcpAndOverTheSocket) {
  auto answer = Get(Url(), "/a%20b?x=1%262&y=", absl::Seconds(10));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, "GET /a b x=1&2 y=");
  answer = Get(socket_, "/v1/status", absl::Seconds(10));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, "GET /v1/status local");
}

TEST_F(HttpServerTest, TheSocketIsPrivateAndGoesWithTheServer) {
  struct stat info;
  ASSERT_EQ(stat(socket_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(HttpServer::Start({"", socket_}, Echo).status().code(), absl::StatusCode::kUnavailable);
  server_->Stop();
  EXPECT_NE(stat(socket_.c_str(), &info), 0);
  const absl::Status gone = Get(socket_, "/", absl::Seconds(5)).status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(gone.message(), socket_ + ": cannot be connected to");
}

TEST_F(HttpServerTest, ChangesNothing) {
  EXPECT_THAT(Exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
              HasSubstr(" 405 "));
  EXPECT_THAT(Exchange("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr(" 405 "));
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  const std::string answer = Exchange("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
}

TEST_F(HttpServerTest, HostileRequestsDoNotStopIt) {
  const std::string large(64 << 10, 'a');
  for (const std::string& bytes :
       {large, "GET /" + large + " HTTP/1.1\r\n\r\n", std::string("\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nRange: bytes=") + std::string(7000, '1') + "\r\n\r\n",
        std::string("GET / HTTP/1.1\r\nRange: bytes=0-1,2-3\r\n\r\n"), std::string(100, '\0')}) {
    const UniqueFd fd = Connect();
    send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  EXPECT_TRUE(Get(Url(), "/", absl::Seconds(30)).ok());
}

TEST_F(HttpServerTest, SlowClientsDelayNobody) {
  std::vector<UniqueFd> slow;
  for (int i = 0; i < 60; ++i) {
    slow.push_back(Connect());
    send(slow.back().get(), "GET / HT", 8, MSG_NOSIGNAL);
  }
  const absl::Time before = absl::Now();
  EXPECT_TRUE(Get(Url(), "/", absl::Seconds(30)).ok());
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
}

TEST_F(HttpServerTest, MoreConnectionsThanItKeepsShutNobodyOut) {
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 600; ++i) idle.push_back(Connect());
  EXPECT_TRUE(Get(Url(), "/", absl::Seconds(30)).ok());
}

TEST_F(HttpServerTest, WhoDoesNotReadDelaysNobodyAndNotTheEnd) {
  // More than the buffers of all sockets together would take.
  const std::string large(12 << 20, 'x');
  auto server = HttpServer::Start({"127.0.0.1:0", ""}, [&large](const HttpRequest& request) {
    HttpResponse response;
    if (request.path == "/large") response.body = large;
    return response;
  });
  ASSERT_TRUE(server.ok()) << server.status();
  *server_ = *std::move(server);
  std::vector<UniqueFd> slow;
  for (int i = 0; i < 16; ++i) {
    slow.push_back(Connect());
    send(slow.back().get(), "GET /large HTTP/1.1\r\n\r\n", 23, MSG_NOSIGNAL);
  }
  const absl::Time before = absl::Now();
  EXPECT_TRUE(Get(Url(), "/", absl::Seconds(30)).ok());
  const auto whole = Get(Url(), "/large", absl::Seconds(30));
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->body.size(), large.size());
  server_->Stop();
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
}

TEST_F(HttpServerTest, RefusesWhatIsNoAddress) {
  for (const char* address : {"9876", "localhost:9876", "127.0.0.1:99999", "[::1:1"}) {
    EXPECT_EQ(HttpServer::Start({address, ""}, Echo).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
  EXPECT_EQ(Get("ftp://x", "/", absl::Seconds(1)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace pagewarden
