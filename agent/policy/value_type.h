// SPDX-License-Identifier: Apache-2.0
// What the language accepts, as data: from it come the JSON Schema, the
// reference in docs/policy.md and the list of keys (agent/policy/schema_text.h).
// Each reader of values describes itself (agent/policy/fields.h), so that
// nothing here is written twice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pagewarden {

struct FieldType;

struct ValueType {
  enum class Kind { kText, kFlag, kInteger, kQuantity, kWord, kTextMap, kList, kObject };

  Kind kind = Kind::kText;
  std::string label;   // "name", for people
  std::string plural;  // "names"

  std::string pattern;    // kText: each accepted one matches it (ECMA 262); of kTextMap: each key
  uint64_t min = 0;       // kText: characters; kQuantity: bytes
  uint64_t max = 0;       // the same; 0: unbounded
  uint64_t multiple = 1;  // kQuantity

  int64_t lowest = 0;  // kInteger
  int64_t highest = 0;

  bool only_true = false;          // kFlag
  std::vector<std::string> words;  // kWord

  std::vector<ValueType> item;  // kList: one
  uint64_t max_items = 0;       // kList; 0: unbounded
  bool unique_items = false;    // kList
  bool ordered = false;         // kList: its order means something

  std::vector<FieldType> fields;     // kObject
  std::vector<std::string> one_of;   // kObject: exactly one of these keys
  std::vector<std::string> some_of;  // kObject: at least one of these keys
};

struct FieldType {
  std::string key;
  bool required = false;
  std::string fallback;  // its default, as YAML; may be empty
  std::string absent;    // what its absence means, where that is no value
  std::string text;      // what it does; Markdown
  std::string example;   // YAML; may be empty
  ValueType type;
};

}  // namespace pagewarden
