// SPDX-License-Identifier: Apache-2.0
#include "agent/http/client.h"

#include <httplib.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxBodyBytes = 64 << 20;

// "https://host:1/prefix" in two: what connects, and what comes before each target.
struct ServerAddress {
  std::string origin;
  std::string prefix;
};

absl::StatusOr<ServerAddress> ParseServer(const std::string& server) {
  const size_t scheme = server.find("://");
  const bool known = absl::StartsWith(server, "http://") || absl::StartsWith(server, "https://");
  if (!known || server.size() == scheme + 3) {
    return absl::InvalidArgumentError(
        absl::StrCat(server, ": neither http://…, https://… nor the path of a socket"));
  }
  const size_t slash = server.find('/', scheme + 3);
  ServerAddress address = {server.substr(0, slash),
                           slash == std::string::npos ? "" : server.substr(slash)};
  while (absl::EndsWith(address.prefix, "/")) address.prefix.pop_back();
  return address;
}

absl::Status StatusOf(httplib::Error error, const std::string& server, bool too_large,
                      bool too_late) {
  if (too_large) {
    return absl::ResourceExhaustedError(absl::StrCat(server, ": answers with more than 64 MiB"));
  }
  if (error == httplib::Error::Connection) {
    return absl::UnavailableError(absl::StrCat(server, ": cannot be connected to"));
  }
  const std::string text = absl::StrCat(server, ": ", httplib::to_string(error));
  if (too_late || error == httplib::Error::ConnectionTimeout) {
    return absl::DeadlineExceededError(absl::StrCat(server, ": no answer in time"));
  }
  return absl::UnavailableError(text);
}

absl::StatusOr<HttpResponse> Ask(httplib::Client& client, const std::string& server,
                                 const std::string& target, absl::Duration timeout,
                                 const std::map<std::string, std::string>& headers) {
  const absl::Time deadline = absl::Now() + timeout;
  const auto part = absl::ToChronoMicroseconds(timeout);
  client.set_connection_timeout(part);
  client.set_read_timeout(part);
  client.set_write_timeout(part);
  HttpResponse response;
  bool too_large = false;
  auto result = client.Get(
      target, httplib::Headers(headers.begin(), headers.end()),
      [&](const httplib::Response& head) {
        response.status = head.status;
        response.content_type = head.get_header_value("Content-Type");
        return true;
      },
      [&](const char* data, size_t size) {
        too_large = response.body.size() + size > kMaxBodyBytes;
        if (!too_large) response.body.append(data, size);
        return !too_large && absl::Now() < deadline;
      });
  if (!result) return StatusOf(result.error(), server, too_large, absl::Now() >= deadline);
  return response;
}

}  // namespace

absl::StatusOr<HttpResponse> Get(const std::string& server, const std::string& target,
                                 absl::Duration timeout,
                                 const std::map<std::string, std::string>& headers) {
  if (absl::StartsWith(server, "/")) {
    httplib::Client client(server);
    client.set_address_family(AF_UNIX);
    client.set_default_headers({{"Host", "localhost"}});
    return Ask(client, server, target, timeout, headers);
  }
  const auto address = ParseServer(server);
  if (!address.ok()) return address.status();
  httplib::Client client(address->origin);
  if (!client.is_valid()) return absl::InvalidArgumentError(absl::StrCat(server, ": no such host"));
  return Ask(client, server, address->prefix + target, timeout, headers);
}

std::string EncodeQuery(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-_.~", c)) {
      result.push_back(c);
    } else {
      absl::StrAppendFormat(&result, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace pagewarden
