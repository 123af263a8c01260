// SPDX-License-Identifier: Apache-2.0
// What the agent answers over HTTP.
//
//   GET /metrics       Prometheus or OpenMetrics text
//   GET /healthz       200 while audits are made, else 503
//   GET /v1/status     over the Unix socket only, as are the rest: status_json.h
//   GET /v1/policies
//   GET /v1/events?since=TIME&after=SEQUENCE&limit=N
#pragma once

#include "absl/time/time.h"
#include "agent/daemon/agent_view.h"
#include "agent/events/event_log.h"
#include "agent/http/message.h"
#include "agent/metrics/exposition.h"

namespace pagewarden {

// Thread-safe. What it is made of outlives it.
class AgentRoutes {
 public:
  AgentRoutes(const ViewBoard& board, const EventLog& events, Exposition& metrics)
      : board_(board), events_(events), metrics_(metrics) {}

  HttpResponse Answer(const HttpRequest& request) const;

 private:
  HttpResponse Metrics(const HttpRequest& request, const AgentView& view) const;
  HttpResponse Events(const HttpRequest& request) const;

  const ViewBoard& board_;
  const EventLog& events_;
  Exposition& metrics_;
};

}  // namespace pagewarden
