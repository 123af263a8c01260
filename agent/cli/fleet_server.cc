// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/fleet_server.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/base/files.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxCredentialBytes = 16 << 10;

bool IsHeaderValue(absl::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c)) || c == '\t';
  });
}

// RFC 9110, 5.6.2: what a header's name may consist of.
bool IsHeaderName(absl::string_view name) {
  constexpr absl::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           kMarks.find(c) != absl::string_view::npos;
  });
}

absl::StatusOr<std::string> ReadCredential(const std::string& path) {
  absl::StatusOr<std::string> text = ReadTrustedFile(path, kMaxCredentialBytes);
  if (!text.ok()) return text.status();
  std::string credential(absl::StripAsciiWhitespace(*text));
  if (credential.empty() || !IsHeaderValue(credential)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not one line of text"));
  }
  return credential;
}

absl::Status CheckUrl(const std::string& url) {
  if (!absl::StartsWith(url, "http://") && !absl::StartsWith(url, "https://")) {
    return absl::InvalidArgumentError("--prometheus: a URL like http://HOST:9090 is needed");
  }
  if (!IsHeaderValue(url) || absl::StrContains(url, ' ')) {
    return absl::InvalidArgumentError("--prometheus: no such URL");
  }
  if (absl::StrContains(url, '@')) {
    return absl::InvalidArgumentError(
        "--prometheus: everybody can read a password in a command line: use --basic-auth-file");
  }
  if (absl::StrContains(url, '?') || absl::StrContains(url, '#')) {
    return absl::InvalidArgumentError("--prometheus: the base URL alone, without a query");
  }
  return absl::OkStatus();
}

absl::Status AddHeader(const std::string& line, FleetServer& server) {
  const size_t colon = line.find(':');
  const std::string name = line.substr(0, colon);
  if (colon == std::string::npos || !IsHeaderName(name) || !IsHeaderValue(line)) {
    return absl::InvalidArgumentError("--header: the form is 'NAME: VALUE'");
  }
  server.headers[name] = std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FleetServer> FleetServerOf(const FleetServerOptions& options) {
  const absl::Status url = CheckUrl(options.url);
  if (!url.ok()) return url;
  FleetServer server;
  server.url = options.url;
  server.timeout = absl::Seconds(options.timeout_seconds);
  for (const std::string& line : options.headers) {
    const absl::Status added = AddHeader(line, server);
    if (!added.ok()) return added;
  }
  const bool basic = !options.basic_auth_file.empty();
  if (!basic && options.token_file.empty()) return server;
  const auto credential = ReadCredential(basic ? options.basic_auth_file : options.token_file);
  if (!credential.ok()) return credential.status();
  server.headers["Authorization"] = basic ? absl::StrCat("Basic ", absl::Base64Escape(*credential))
                                          : absl::StrCat("Bearer ", *credential);
  return server;
}

}  // namespace pagewarden
