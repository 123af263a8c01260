// SPDX-License-Identifier: Apache-2.0
// What the hooks of a watch do not see.
#pragma once

#include <string>
#include <vector>

#include "agent/bpf/hook_report.h"

namespace pagewarden {

struct WatchGaps {
  // Each makes the watch partial (exit 4): refusals, peaks or guard hits that nobody sees,
  // and events that were lost. One line each, "<what> : <why>".
  std::vector<std::string> serious;
  // What the other questions would add, one line; empty: all have a hook.
  std::string note;
};

// `hooks` of Watch::hooks().
WatchGaps GapsOf(const std::vector<HookReport>& hooks);

// The events that were lost, likewise; empty: none.
std::string LossOf(const std::vector<HookReport>& hooks);

}  // namespace pagewarden
