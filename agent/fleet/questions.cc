// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/questions.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/substitute.h"

namespace pagewarden {
namespace {

// $0 of the templates is the operator's matcher, $1 a window or a threshold.
std::string With(const FleetOptions& options, absl::string_view promql,
                 absl::string_view value = "") {
  return absl::Substitute(promql, options.matcher, value);
}

std::string WindowOr(const FleetOptions& options, const char* window) {
  return options.window.value_or(window);
}

// By how much a counter rose. One that was not there at the start of the window counts whole,
// if its target was: the first refusal in a cgroup is what makes its series, and increase()
// would not see it.
std::string Rise(const FleetOptions& options, absl::string_view counter,
                 const std::string& window) {
  return absl::Substitute(
      "(increase($0{$1}[$2]) > 0 or ($0{$1} > 0 unless $0{$1} offset $2 "
      "and on (job, instance) (up{$1} offset $2 == 1)))",
      counter, options.matcher, window);
}

std::string Marked(absl::string_view promql, absl::string_view what) {
  return absl::Substitute("label_replace($0, \"what\", \"$1\", \"\", \"\")", promql, what);
}

std::string LimitNearQuery(const FleetOptions& options) {
  return With(options,
              "{__name__=~\"pagewarden_cgroup_(memlock_usage_max_ratio|memlock_limit_min_bytes|"
              "locked_bytes)\",$0} and pagewarden_cgroup_memlock_usage_max_ratio{$0} > $1",
              absl::StrCat(kFleetLimitNear));
}

std::string BudgetsQuery(const FleetOptions& options) {
  return With(options,
              "{__name__=~\"pagewarden_cgroup_budget_(used_)?bytes\",$0} and "
              "pagewarden_cgroup_budget_used_bytes{$0} / pagewarden_cgroup_budget_bytes{$0} > $1",
              absl::StrCat(kFleetBudgetNear));
}

std::string CorruptionQuery(const FleetOptions& options) {
  const std::string window = CorruptionWindow(options);
  std::vector<std::string> parts;
  for (const auto& [what, counter] :
       {std::pair{"canary", "pagewarden_canary_violations_total"},
        std::pair{"guard", "pagewarden_guard_faults_total"},
        std::pair{"invalid free", "pagewarden_invalid_frees_total"}}) {
    parts.push_back(Marked(Rise(options, counter, window), what));
  }
  return absl::StrJoin(parts, " or ");
}

// Hosts that had the policy with another hash then.
std::string SwitchesQuery(const FleetOptions& options) {
  std::vector<std::string> parts;
  for (const std::string& age : SwitchAges(options)) {
    parts.push_back(Marked(
        With(options,
             "count by (policy, hash) ((pagewarden_policy_info{$0} unless ignoring (mode, version) "
             "pagewarden_policy_info{$0} offset $1) and ignoring (hash, mode, version) "
             "pagewarden_policy_info{$0} offset $1)",
             age),
        age));
  }
  return absl::StrJoin(parts, " or ");
}

}  // namespace

std::string DenialWindow(const FleetOptions& options) { return WindowOr(options, "10m"); }
std::string FallbackWindow(const FleetOptions& options) { return WindowOr(options, "10m"); }
std::string CorruptionWindow(const FleetOptions& options) { return WindowOr(options, "10m"); }
std::string EventsLostWindow(const FleetOptions& options) { return WindowOr(options, "5m"); }

std::vector<std::string> SwitchAges(const FleetOptions& options) {
  return {WindowOr(options, "10m"), "1h", "1d", "7d"};
}

std::vector<FleetQuestion> FleetQuestions(const FleetOptions& options) {
  return {
      {FleetTopic::kHosts, With(options, "{__name__=~\"up|pagewarden_build_info\",$0}")},
      {FleetTopic::kCgroups,
       With(options, "count(pagewarden_cgroup_locked_bytes{$0,cgroup!=\"__other__\"})")},
      {FleetTopic::kStalled,
       With(options, "increase(pagewarden_scan_duration_seconds_count{$0}[$1]) == 0",
            WindowOr(options, "5m"))},
      {FleetTopic::kLimitNear, LimitNearQuery(options)},
      {FleetTopic::kDenials,
       Rise(options, "pagewarden_memlock_denials_total", DenialWindow(options))},
      {FleetTopic::kBudgets, BudgetsQuery(options)},
      {FleetTopic::kRlimits, With(options, "pagewarden_cgroup_rlimit_breaches{$0} > 0")},
      {FleetTopic::kUncovered, With(options, "pagewarden_uncovered_processes{$0} > 0")},
      {FleetTopic::kSecrets, With(options, "pagewarden_secret_copies{$0,fenced=\"false\"} > 0")},
      {FleetTopic::kSecretErrors, With(options, "pagewarden_secret_check_errors{$0} > 0")},
      {FleetTopic::kFallbacks,
       Rise(options, "pagewarden_arena_fallbacks_total", FallbackWindow(options))},
      {FleetTopic::kCorruption, CorruptionQuery(options)},
      {FleetTopic::kReloads,
       With(options,
            "time() - pagewarden_config_last_reload_success_timestamp_seconds{$0} and "
            "pagewarden_config_last_reload_successful{$0} == 0 "
            "or pagewarden_config_last_reload_successful{$0} == 0")},
      {FleetTopic::kEventsLost,
       Rise(options, "pagewarden_events_lost_total", EventsLostWindow(options))},
      {FleetTopic::kPolicies, With(options, "pagewarden_policy_info{$0}")},
      {FleetTopic::kPolicySwitches, SwitchesQuery(options)},
  };
}

std::string LimitsQuestion(const FleetOptions& options) {
  const std::string of_services = absl::StrCat(options.matcher, ",cgroup=~\".+[.]service(/.*)?\"");
  const auto per_cgroup = [&of_services](absl::string_view function, absl::string_view metric,
                                         absl::string_view what) {
    return Marked(absl::Substitute("$0 by (cgroup) (pagewarden_cgroup_$1{$2})", function, metric,
                                   of_services),
                  what);
  };
  const std::string highest = absl::Substitute(
      "topk by (cgroup) (1, pagewarden_cgroup_recommended_limit_bytes{$0} > 0)", of_services);
  return absl::StrJoin(
      {Marked(highest, "recommended"), per_cgroup("max", "locked_peak_bytes", "peak"),
       per_cgroup("min", "memlock_limit_min_bytes", "limit"),
       per_cgroup("count", "recommended_limit_bytes", "hosts")},
      " or ");
}

bool IsPromDuration(const std::string& text) {
  constexpr absl::string_view kUnits = "smhd";
  bool digits = false;
  bool positive = false;
  for (const char c : text) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      digits = true;
      positive = positive || c != '0';
    } else if (digits && kUnits.find(c) != absl::string_view::npos) {
      digits = false;
    } else {
      return false;
    }
  }
  return positive && !digits && text.size() <= 16;
}

}  // namespace pagewarden
