// SPDX-License-Identifier: Apache-2.0
// The fields of AllocationPolicy.
#pragma once

#include "agent/policy/fields.h"
#include "agent/policy/model.h"

namespace pagewarden {

extern const Value<AllocationSpec> kAllocationSpec;

}  // namespace pagewarden
