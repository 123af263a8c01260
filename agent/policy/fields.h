// SPDX-License-Identifier: Apache-2.0
// Declarative reading of YAML maps: an object kind is a table of fields, a
// field is a key, whether it must be there, and the reader of its value.
//
//   constexpr Field<Metadata> kMetadataFields[] = {
//       {"name", kRequired, Into<&Metadata::name, ReadName>},
//       {"labels", kOptional, Into<&Metadata::labels, ReadLabels>},
//   };
//   ReadObject<kMetadataFields>(node, metadata, diagnostics);
//
// The table is the only place that knows the keys: unknown keys, suggestions
// and missing keys follow from it. A reader changes its output only on success.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/yaml_tree.h"

namespace pagewarden {

inline constexpr bool kRequired = true;
inline constexpr bool kOptional = false;

template <typename T>
struct Field {
  const char* key;
  bool required;
  void (*read)(const YamlNode&, T&, Diagnostics&);
};

// Binds a reader of values to a member of T.
template <auto kMember, auto kRead, typename T>
void Into(const YamlNode& node, T& object, Diagnostics& diagnostics) {
  kRead(node, object.*kMember, diagnostics);
}

struct KeyRule {
  const char* key;
  bool required;
};

// The value of each key of `rules` in `node`, null where absent. Reports a node
// that is not a map, unknown keys and missing required keys.
std::vector<const YamlNode*> MatchKeys(const YamlNode& node, const std::vector<KeyRule>& rules,
                                       Diagnostics& diagnostics);

template <const auto& kFields, typename T>
void ReadObject(const YamlNode& node, T& object, Diagnostics& diagnostics) {
  std::vector<KeyRule> rules;
  for (const Field<T>& field : kFields) rules.push_back({field.key, field.required});
  const std::vector<const YamlNode*> values = MatchKeys(node, rules, diagnostics);
  object.at = node.at;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] != nullptr) kFields[i].read(*values[i], object, diagnostics);
  }
}

// Reports a node of another kind, or an empty list or map; true if it is fine.
bool ExpectKind(const YamlNode& node, YamlNode::Kind kind, Diagnostics& diagnostics);

template <auto kReadItem, typename T>
void ReadList(const YamlNode& node, std::vector<T>& list, Diagnostics& diagnostics) {
  if (!ExpectKind(node, YamlNode::Kind::kList, diagnostics)) return;
  for (const YamlNode& item : node.items) kReadItem(item, list.emplace_back(), diagnostics);
}

// One word of a fixed set.
template <typename E>
struct Word {
  const char* text;
  E value;
};

// Index of the node's text in `words`; reports and returns -1 if it is none.
int FindWord(const YamlNode& node, const std::vector<std::string>& words, Diagnostics& diagnostics);

template <const auto& kWords, typename E>
void ReadWord(const YamlNode& node, E& value, Diagnostics& diagnostics) {
  std::vector<std::string> words;
  for (const Word<E>& word : kWords) words.push_back(word.text);
  const int index = FindWord(node, words, diagnostics);
  if (index >= 0) value = kWords[index].value;
}

// Text: in quotes, or plain where YAML has no other meaning for it.
void ReadText(const YamlNode& node, std::string& text, Diagnostics& diagnostics);

// `true` or `false`; YAML's yes, no, on and off are refused.
void ReadFlag(const YamlNode& node, bool& flag, Diagnostics& diagnostics);

void ReadQuantity(const YamlNode& node, uint64_t& bytes, Diagnostics& diagnostics);

// A decimal number of 32 bits; leading zeros (octal to YAML 1.1) are refused.
void ReadInteger(const YamlNode& node, int32_t& number, Diagnostics& diagnostics);

}  // namespace pagewarden
