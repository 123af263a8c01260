// SPDX-License-Identifier: Apache-2.0
// Byte counts in sentences: always bytes and KiB, because ulimit and limits.conf
// take the one and setrlimit, systemd and containers the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pagewarden {

// 65536 → "65536 bytes (64 KiB)", 100 → "100 bytes (0.1 KiB)", 0 → "0 bytes (0 KiB)".
std::string Amount(uint64_t bytes);

// Amount, or "unlimited".
std::string LimitAmount(std::optional<uint64_t> bytes);

}  // namespace pagewarden
