// SPDX-License-Identifier: Apache-2.0
#include "agent/reasons/amounts.h"

#include "absl/strings/str_format.h"

namespace pagewarden {

std::string Amount(uint64_t bytes) {
  if (bytes % 1024 == 0) return absl::StrFormat("%d bytes (%d KiB)", bytes, bytes / 1024);
  return absl::StrFormat("%d bytes (%.1f KiB)", bytes, static_cast<double>(bytes) / 1024);
}

std::string LimitAmount(std::optional<uint64_t> bytes) {
  return bytes ? Amount(*bytes) : "unlimited";
}

}  // namespace pagewarden
