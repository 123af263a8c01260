// SPDX-License-Identifier: Apache-2.0
// Budgets of locked memory as the rest of the agent sees them (docs/policy.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/policy/selector.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

// What is summed up to be compared with a limit.
enum class BudgetScope { kSlice, kService, kNamespace, kPod, kContainer, kProcess };

struct Budget : Located {
  std::string name;
  ProcessSelector selector;
  BudgetScope scope = BudgetScope::kProcess;
  std::optional<uint64_t> limit_bytes;
  std::optional<int32_t> warn_at_percent;    // of the limit; none: kDefaultWarnAtPercent
  std::optional<uint64_t> max_rlimit_bytes;  // of each process's hard RLIMIT_MEMLOCK
  std::vector<Exception> exceptions;
};

inline constexpr int32_t kDefaultWarnAtPercent = 80;

struct BudgetSpec : Located {
  abi::Mode mode = abi::Mode::kAudit;  // never kEnforce: reserved
  std::vector<Budget> budgets;
};

}  // namespace pagewarden
