// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/audit/formats.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

std::string CostPerRun(const HookReport& hook) {
  if (hook.runs == 0 || hook.run_time_ns == 0) return "-";
  return absl::StrFormat("%.0f ns",
                         static_cast<double>(hook.run_time_ns) / static_cast<double>(hook.runs));
}

}  // namespace

std::string FormatHooks(const std::vector<HookReport>& hooks) {
  if (hooks.empty()) return "no hook is in use: everything is read from /proc\n";
  std::vector<std::vector<std::string>> cells = {{"QUESTION", "HOOK", "RUNS", "A RUN", "LOST"}};
  std::string refused;
  for (const HookReport& hook : hooks) {
    cells.push_back({Printable(hook.question), hook.hook.empty() ? "none" : Printable(hook.hook),
                     absl::StrCat(hook.runs), CostPerRun(hook), absl::StrCat(hook.lost)});
    for (const std::string& line : hook.refused) {
      absl::StrAppend(&refused, "refused for ", Printable(hook.question), ": ", Printable(line),
                      "\n");
    }
  }
  return absl::StrCat(
      FormatTable({Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kRight}, cells),
      refused.empty() ? "" : "\n", refused);
}

}  // namespace pagewarden
