// SPDX-License-Identifier: Apache-2.0
// The policy language: its kinds, fields, words and ranges, as tables.
#pragma once

#include <vector>

#include "agent/policy/model.h"
#include "agent/policy/yaml_tree.h"

namespace pagewarden {

inline constexpr char kApiVersion[] = "pagewarden/v1alpha1";
inline constexpr uint64_t kMinArenaBytes = 4096;
inline constexpr uint64_t kMaxArenaBytes = 1 << 30;

// Appends what `document` defines to `set`, references not yet resolved.
void ReadDocument(const YamlNode& document, PolicySet& set, Diagnostics& diagnostics);

}  // namespace pagewarden
