// SPDX-License-Identifier: Apache-2.0
// Checks the bytes of a ledger that another process wrote, and may have forged.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {

// True where `bytes` start like a ledger at `address`: the magic, and `self`.
bool LooksLikeLedger(absl::string_view bytes, uint64_t address);

// `bytes` as read from `address` of the process. DataLoss: a field breaks the
// contract of preload/abi/ledger.h; the message names the field, not its value.
absl::StatusOr<ShimState> ValidateLedger(absl::string_view bytes, uint64_t address);

}  // namespace pagewarden
