// SPDX-License-Identifier: Apache-2.0
// The language as a JSON Schema, for editors and for tools that check policies without
// pagewarden. It accepts all that the language does, and refuses what a schema can: not
// names that must be unique, references, or YAML itself (duplicate keys, anchors).
#pragma once

#include <string>

namespace pagewarden {

// Draft 7, since editors' YAML servers read that.
std::string PolicyJsonSchema();

}  // namespace pagewarden
