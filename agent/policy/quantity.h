// SPDX-License-Identifier: Apache-2.0
// Amounts of memory as policies write them: 4096, 64Ki, 8Mi, 1Gi.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// Bytes. InvalidArgument says what to write instead: `8M` is refused, since it
// means 8,000,000 to some tools and 8,388,608 to others.
absl::StatusOr<uint64_t> ParseQuantity(absl::string_view text);

// The shortest exact form: "1Mi", "64Ki", "1000".
std::string FormatQuantity(uint64_t bytes);

}  // namespace pagewarden
