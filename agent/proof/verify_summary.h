// SPDX-License-Identifier: Apache-2.0
// What a search comes to: counts, a sentence, an exit code.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "agent/proof/verify.h"

namespace pagewarden {

struct VerifySummary {
  size_t copies = 0;
  size_t locked = 0;
  size_t fenced = 0;  // locked too
  size_t stale = 0;
  std::map<std::string, size_t> kinds;    // by PlaceKindName
  std::optional<absl::Duration> stopped;  // the longest stop of a process; nullopt: none was
};

VerifySummary Summarize(const VerifyResult& result);

// "28 copies in 3 processes: 26 fenced, 2 not fenced (1 of them locked), 3 stale"
std::string Verdict(const VerifyResult& result);

// What a copy must be for exit code 0.
enum class Accept { kFenced, kLocked };

// agent/base/exit_codes.h. What could not be read outweighs what was found.
int ExitCode(const VerifyResult& result, Accept accept = Accept::kFenced);

}  // namespace pagewarden
