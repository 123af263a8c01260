// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/ask_fleet.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/audit/text.h"
#include "agent/http/client.h"

namespace pagewarden {
namespace {

std::string TargetOf(const FleetServer& server, const std::string& promql, double time) {
  std::string target = absl::StrCat("/api/v1/query?query=", EncodeQuery(promql),
                                    "&timeout=", absl::ToInt64Milliseconds(server.timeout), "ms");
  if (time > 0) absl::StrAppendFormat(&target, "&time=%.3f", time);
  return target;
}

absl::Status HttpError(int status) {
  const char* meaning = "";
  if (status == 401 || status == 403) meaning = ": it wants (other) credentials";
  if (status == 404) meaning = ": no query API there; is a path missing from the URL?";
  if (status >= 300 && status < 400) meaning = ": it redirects; give the final URL";
  return absl::UnavailableError(absl::StrCat("HTTP status ", status, meaning));
}

// Warnings of different queries are mostly the same.
void AddWarning(std::string text, std::vector<std::string>& warnings) {
  if (std::find(warnings.begin(), warnings.end(), text) == warnings.end()) {
    warnings.push_back(std::move(text));
  }
}

bool HasUp(const std::vector<QuerySample>& samples) {
  return std::any_of(samples.begin(), samples.end(), [](const QuerySample& sample) {
    return !sample.labels.Get("instance").empty();
  });
}

}  // namespace

absl::StatusOr<QueryAnswer> AskServer(const FleetServer& server, const std::string& promql,
                                      double time) {
  const auto response =
      Get(server.url, TargetOf(server, promql, time), server.timeout, server.headers);
  if (!response.ok()) return response.status();
  auto answer = ParseQueryAnswer(response->body);
  // An error of the API itself says more than its status.
  const bool api_error =
      absl::IsInvalidArgument(answer.status()) || absl::IsUnavailable(answer.status());
  if (response->status != 200 && !api_error) return HttpError(response->status);
  return answer;
}

absl::StatusOr<FleetData> AskFleet(const FleetServer& server, const FleetOptions& options) {
  FleetData data;
  for (const FleetQuestion& question : FleetQuestions(options)) {
    auto answer = AskServer(server, question.promql, data.time);
    const bool first = question.topic == FleetTopic::kHosts;
    // Wrong is wrong for all; without the hosts nothing else has a meaning.
    if (!answer.ok() && (first || absl::IsInvalidArgument(answer.status()))) {
      return answer.status();
    }
    if (!answer.ok()) {
      AddWarning(absl::StrCat("a query failed: ", answer.status().message()), data.warnings);
      continue;
    }
    for (std::string& warning : answer->warnings) AddWarning(std::move(warning), data.warnings);
    if (first && !HasUp(answer->samples)) {
      return absl::NotFoundError(
          absl::StrCat("it knows no target with {", Printable(options.matcher), "}"));
    }
    if (first && std::isfinite(answer->time)) data.time = answer->time;
    data.answers[question.topic] = std::move(answer->samples);
  }
  return data;
}

}  // namespace pagewarden
