// SPDX-License-Identifier: Apache-2.0
// A check's request and result as one line of JSON each, from one process of this program to
// another. Bytes that are not UTF-8 become U+FFFD, but for the request's paths and names, which
// policies have checked.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/secrets/group_check.h"

namespace pagewarden {

// Without a line break.
std::string GroupRequestLine(const GroupRequest& request);
std::string GroupResultLine(const GroupResult& result);

// InvalidArgument: it is no such line.
absl::StatusOr<GroupRequest> ParseGroupRequest(absl::string_view line);
absl::StatusOr<GroupResult> ParseGroupResult(absl::string_view line);

}  // namespace pagewarden
