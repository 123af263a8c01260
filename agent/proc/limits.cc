// SPDX-License-Identifier: Apache-2.0
#include "agent/proc/limits.h"

#include <limits>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pagewarden {
namespace {

bool ParseLimit(absl::string_view text, std::optional<uint64_t>& limit) {
  if (text == "unlimited") {
    limit.reset();
    return true;
  }
  uint64_t bytes = 0;
  if (!absl::SimpleAtoi(text, &bytes)) return false;
  limit = bytes;
  return true;
}

}  // namespace

std::optional<uint64_t> LimitFromRlim(uint64_t limit) {
  if (limit == std::numeric_limits<uint64_t>::max()) return std::nullopt;
  return limit;
}

absl::StatusOr<MemlockLimits> ParseMemlockLimits(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "Max locked memory ")) continue;
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    MemlockLimits limits;
    if (fields.size() == 3 && ParseLimit(fields[0], limits.soft) &&
        ParseLimit(fields[1], limits.hard) && fields[2] == "bytes") {
      return limits;
    }
    break;
  }
  return absl::InvalidArgumentError(
      "limits: the row \"Max locked memory\" is malformed or missing");
}

}  // namespace pagewarden
