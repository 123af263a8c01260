// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/routes.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/base/steady_now.h"
#include "agent/daemon/status_json.h"
#include "agent/events/event_query.h"

namespace pagewarden {
namespace {

constexpr char kJson[] = "application/json; charset=utf-8";

// Audits that are this late are not made any more.
constexpr int kMissedAudits = 10;
constexpr absl::Duration kShortestPatience = absl::Seconds(10);

HttpResponse Text(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

HttpResponse Json(std::string body) { return {200, kJson, std::move(body)}; }

HttpResponse Healthz(const AgentView& view) {
  const absl::Duration age = SteadyNow() - view.audited;
  const absl::Duration patience = std::max(view.agent.interval * kMissedAudits, kShortestPatience);
  if (age <= patience) return Text(200, "ok\n");
  return Text(503, absl::StrCat("no audit for ", absl::FormatDuration(age), "\n"));
}

}  // namespace

HttpResponse AgentRoutes::Metrics(const HttpRequest& request, const AgentView& view) const {
  const MetricsFormat format = FormatFor(request.accept);
  return {200, ContentTypeOf(format), metrics_.Render(view.host, format)};
}

HttpResponse AgentRoutes::Events(const HttpRequest& request) const {
  const auto query =
      ParseEventQuery({request.parameters.begin(), request.parameters.end()}, absl::Now());
  if (!query.ok()) return Text(400, absl::StrCat(query.status().message(), "\n"));
  return Json(EventsJson(events_, *query));
}

HttpResponse AgentRoutes::Answer(const HttpRequest& request) const {
  const std::shared_ptr<const AgentView> view = board_.Latest();
  if (view == nullptr) return Text(503, "starting\n");
  if (request.path == "/metrics") return Metrics(request, *view);
  if (request.path == "/healthz") return Healthz(*view);
  if (request.path == "/") return Text(200, "pagewarden agent: /metrics, /healthz\n");
  // Processes, paths and events: for those who may open the socket.
  if (request.local && request.path == "/v1/status") return Json(StatusJson(*view));
  if (request.local && request.path == "/v1/policies") return Json(PoliciesJson(*view));
  if (request.local && request.path == "/v1/events") return Events(request);
  return Text(404, "not found\n");
}

}  // namespace pagewarden
