// SPDX-License-Identifier: Apache-2.0
// Asks a server that speaks Prometheus' HTTP API: Prometheus, Thanos, Mimir.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/fleet/fleet_report.h"
#include "agent/fleet/questions.h"

namespace pagewarden {

struct FleetServer {
  std::string url;  // "https://HOST[:PORT][/PREFIX]", without /api/v1
  std::map<std::string, std::string> headers;
  absl::Duration timeout = absl::Seconds(10);  // for each query
};

struct FleetData {
  FleetAnswers answers;
  std::vector<std::string> warnings;  // what is missing and why; printable
  double time = 0;                    // at which all was evaluated, by the server's clock
};

// InvalidArgument: the server takes a query for wrong, so the matcher is; or no such form of
// URL. Unavailable, DeadlineExceeded: no use of the server. NotFound: no host at all. A single
// query that fails is a warning.
absl::StatusOr<FleetData> AskFleet(const FleetServer& server, const FleetOptions& options);

// `time`: FleetData::time, so that all answers are of one moment.
absl::StatusOr<QueryAnswer> AskServer(const FleetServer& server, const std::string& promql,
                                      double time = 0);

}  // namespace pagewarden
