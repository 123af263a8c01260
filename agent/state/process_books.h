// SPDX-License-Identifier: Apache-2.0
// Sums over the ledgers of all processes that ever were, by policy. A ledger is its
// process's to write: sums only go up, and stop at 2^53.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "agent/audit/report.h"
#include "agent/state/books.h"

namespace pagewarden {

inline constexpr uint64_t kMaxCount = uint64_t{1} << 53;  // exact as a double
inline constexpr char kOtherName[] = "__other__";         // what is beyond the tables

void AddCount(uint64_t count, uint64_t& sum);

// What was in a process's ledger when it was last read.
struct ProcessBook {
  uint64_t start_time_ns = 0;  // of ProcessRow; 0: not known
  uint64_t exec_id = 0;
  uint64_t ledger = 0;  // its address
  std::string policy;
  PolicyBook counts;
  int missed = 0;  // reports in a row without it
};

using ProcessBooks = std::map<pid_t, ProcessBook>;

// Any user can start programs under policies of any names, and write what it likes into a
// ledger. Names that the agent has not loaded itself get books as long as there are few.
using PolicyNames = std::set<std::string>;
inline constexpr size_t kMaxForeignPolicies = 16;
inline constexpr size_t kMaxRulesOfForeign = 16;
inline constexpr size_t kMaxRules = 128;  // of a policy that the agent has loaded

// Adds to `policies` what the ledgers of `report` say beyond `processes`, which become
// those of the report, and those of the last reports before it. A child of fork has its parent's
// counts at first, which are not counted twice. `changed`: policies that have other sums now.
void AddLedgers(const AuditReport& report, ProcessBooks& processes, const PolicyNames& loaded,
                std::map<std::string, PolicyBook>& policies, std::vector<std::string>& changed);

// For each count the higher one.
void RaiseTo(const PolicyBook& floor, PolicyBook& book);

// That of `name`, which is kOtherName where there are too many.
PolicyBook& PolicyBookOf(const std::string& name, const PolicyNames& loaded,
                         std::map<std::string, PolicyBook>& policies);

}  // namespace pagewarden
