// SPDX-License-Identifier: Apache-2.0
// Policy files as a plain tree that remembers where everything stands.
//
// The accepted YAML is a subset that can only be read one way: no anchors,
// aliases, merge keys or tags, and every key once. Built on yaml-cpp's event
// interface, since its node tree keeps duplicate keys and hides aliases.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/diagnostics.h"

namespace pagewarden {

inline constexpr size_t kMaxPolicyFileBytes = 1 << 20;
inline constexpr size_t kMaxYamlDepth = 16;
inline constexpr size_t kMaxYamlDocuments = 256;

struct YamlEntry;

struct YamlNode {
  // kRefused: YAML that is not accepted and has been reported.
  enum class Kind { kNull, kRefused, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  Position at;
  std::string value;               // kScalar
  bool quoted = false;             // kScalar: written in quotes or as a block
  std::vector<YamlNode> items;     // kList
  std::vector<YamlEntry> entries;  // kMap: each scalar key once, in file order
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

// The documents of `source`; empty ones are left out. Errors go to
// `diagnostics`; what was read before a syntax error is still returned.
std::vector<YamlNode> ParseYaml(const std::shared_ptr<const Source>& source,
                                Diagnostics& diagnostics);

// The value of a key of a map, null if it has no such key.
const YamlNode* FindValue(const YamlNode& map, absl::string_view key);

// "text", "a list", "a map", "nothing": for messages.
const char* KindName(YamlNode::Kind kind);

}  // namespace pagewarden
