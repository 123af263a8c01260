// SPDX-License-Identifier: Apache-2.0
// Parts of the JSON of a report: only for files that build JSON, as the library's header
// is a large one.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/audit/process_row.h"
#include "agent/audit/report.h"

namespace pagewarden {

using OrderedJson = nlohmann::ordered_json;

inline OrderedJson OrNull(const std::optional<uint64_t>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

OrderedJson ShimJson(const ProcessRow& row);
// Of one process: policy, mode, state and, unless it is covered, reason, text, protections.
OrderedJson CoverageJson(const CoveredProcess& coverage);
OrderedJson ProcessJson(const ProcessRow& row, const AuditReport& report);
OrderedJson UidsJson(const AuditReport& report);
OrderedJson HooksJson(const std::vector<HookReport>& hooks);

// Without a line break; bytes that are not UTF-8 become U+FFFD.
std::string JsonLine(const OrderedJson& json);

// RFC 3339, UTC.
std::string JsonTime(absl::Time time);

}  // namespace pagewarden
