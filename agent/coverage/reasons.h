// SPDX-License-Identifier: Apache-2.0
// The one table of reasons why a process that a policy selects is not covered. The words
// are stable: labels of the metric, and in JSON and events.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/coverage/coverage.h"

namespace pagewarden {

struct CoverageReason {
  const char* word;
  CoverageState state;  // that it stands for
  const char* meaning;  // a clause whose subject is "it", the process
  const char* step;     // what to do, where nothing more exact is known
};

const std::vector<CoverageReason>& CoverageReasons();

// Null: no such word.
const CoverageReason* FindCoverageReason(absl::string_view word);

// The table in Markdown, as docs/coverage.md has it.
std::string CoverageReasonsAsMarkdown();

}  // namespace pagewarden
