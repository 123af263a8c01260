// SPDX-License-Identifier: Apache-2.0
// Names and references: text that must have a certain form.
#pragma once

#include <optional>
#include <string>

#include "agent/policy/fields.h"
#include "agent/policy/model.h"

namespace pagewarden {

// Lower-case letters, digits, '-' and '.'; a letter or digit first and last; at
// most 63 characters. Arena names: at most 31, as the ledger has no more room.
extern const Value<std::string> kName;
extern const Value<std::string> kArenaName;

extern const Value<Reference> kReference;
extern const Value<std::optional<Reference>> kOptionalReference;

// The name of an exported function, as `nm -D` prints it but without version.
// The allocator's own functions are refused: the shim is their interposer.
extern const Value<std::string> kFunctionName;

// BUILDID+0xOFFSET, as `pagewarden learn` writes it.
extern const Value<CodeAddress> kCodeAddress;

// Why something is so, for those who read it later: 1 to 255 characters.
extern const Value<std::string> kReason;

// A day, YYYY-MM-DD.
extern const Value<absl::CivilDay> kDay;

}  // namespace pagewarden
