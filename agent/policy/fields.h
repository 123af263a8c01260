// SPDX-License-Identifier: Apache-2.0
// Declarative reading of YAML maps: an object kind is a table of fields; a field
// is a key, whether it must be there, the kind of its value, its default and
// what it does.
//
//   constexpr Field<Metadata> kMetadataFields[] = {
//       Required<&Metadata::name, kName>("name", "unique among the policies"),
//       Optional<&Metadata::labels, kLabels>("labels", Absent("none"), "for your own use"),
//   };
//   ReadObject<kMetadataFields>(node, metadata, diagnostics);
//
// The table is the only place that knows the keys: unknown keys, suggestions,
// missing keys, the JSON Schema and the reference follow from it. A reader
// changes its output only on success.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/policy/value_type.h"
#include "agent/policy/yaml_tree.h"

namespace pagewarden {

inline constexpr bool kRequired = true;
inline constexpr bool kOptional = false;

// A kind of value: how it is read, and what is accepted.
template <typename V>
struct Value {
  using type = V;
  void (*read)(const YamlNode&, V&, Diagnostics&);
  ValueType (*describe)();
};

template <const auto& kValue>
using ValueOf = typename std::decay_t<decltype(kValue)>::type;

template <typename T>
struct Field {
  const char* key = nullptr;
  bool required = false;
  const char* fallback = "";
  const char* absent = "";
  const char* text = "";
  const char* example = "";
  void (*read)(const YamlNode&, T&, Diagnostics&) = nullptr;
  ValueType (*describe)() = nullptr;

  // An example is only for values that the type does not make plain.
  constexpr Field Example(const char* yaml) const {
    Field field = *this;
    field.example = yaml;
    return field;
  }
};

// What holds if a key is left out: a value, as YAML, or a meaning, in words.
struct Missing {
  const char* fallback;
  const char* absent;
};
constexpr Missing Default(const char* yaml) { return {yaml, ""}; }
constexpr Missing Absent(const char* meaning) { return {"", meaning}; }

template <typename Class, typename Member>
Class ClassOf(Member Class::*);

// Reads a value into a member of T.
template <auto kMember, const auto& kValue, typename T>
void Into(const YamlNode& node, T& object, Diagnostics& diagnostics) {
  kValue.read(node, object.*kMember, diagnostics);
}

// Values are defined where their readers are: only their addresses are constant.
template <const auto& kValue>
ValueType Describe() {
  return kValue.describe();
}

// T is named where the member is of a class that T derives from.
template <auto kMember, const auto& kValue, typename T = decltype(ClassOf(kMember))>
constexpr Field<T> Required(const char* key, const char* text) {
  return {key, true, "", "", text, "", Into<kMember, kValue, T>, Describe<kValue>};
}

template <auto kMember, const auto& kValue, typename T = decltype(ClassOf(kMember))>
constexpr Field<T> Optional(const char* key, Missing missing, const char* text) {
  return {key,  false, missing.fallback,         missing.absent,
          text, "",    Into<kMember, kValue, T>, Describe<kValue>};
}

// A key whose value is checked, and changes nothing.
template <typename T, const auto& kValue>
constexpr Field<T> Checked(const char* key, bool required, Missing missing, const char* text) {
  return {key,
          required,
          missing.fallback,
          missing.absent,
          text,
          "",
          [](const YamlNode& node, T&, Diagnostics& diagnostics) {
            ValueOf<kValue> ignored{};
            kValue.read(node, ignored, diagnostics);
          },
          Describe<kValue>};
}

// Two tables as one.
template <typename T, size_t A, size_t B>
constexpr std::array<Field<T>, A + B> Join(const std::array<Field<T>, A>& a,
                                           const std::array<Field<T>, B>& b) {
  std::array<Field<T>, A + B> all{};
  for (size_t i = 0; i < A; ++i) all[i] = a[i];
  for (size_t i = 0; i < B; ++i) all[A + i] = b[i];
  return all;
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

template <const auto& kFields>
ValueType DescribeObject() {
  ValueType type;
  type.kind = ValueType::Kind::kObject;
  type.label = "map";
  type.plural = "maps";
  for (const auto& field : kFields) {
    type.fields.push_back({field.key, field.required, field.fallback, field.absent, field.text,
                           field.example, field.describe()});
  }
  return type;
}

template <typename T, const auto& kFields>
inline constexpr Value<T> kObject = {ReadObject<kFields, T>, DescribeObject<kFields>};

// Reports a node of another kind, or an empty list or map; true if it is fine.
bool ExpectKind(const YamlNode& node, YamlNode::Kind kind, Diagnostics& diagnostics);

// Reports the first of more than `max` items, if there is a bound (0: none).
void CheckLength(const YamlNode& list, size_t max, Diagnostics& diagnostics);

ValueType DescribeList(ValueType item, size_t max);

template <const auto& kItem, size_t kMax>
void ReadList(const YamlNode& node, std::vector<ValueOf<kItem>>& list, Diagnostics& diagnostics) {
  if (!ExpectKind(node, YamlNode::Kind::kList, diagnostics)) return;
  CheckLength(node, kMax, diagnostics);
  for (const YamlNode& item : node.items) kItem.read(item, list.emplace_back(), diagnostics);
}

// At least one item, and at most kMax if that is not 0.
template <const auto& kItem, size_t kMax = 0>
inline constexpr Value<std::vector<ValueOf<kItem>>> kListOf = {
    ReadList<kItem, kMax>, [] { return DescribeList(kItem.describe(), kMax); }};

ValueType Ordered(ValueType list);

// The same, where the order means something.
template <const auto& kItem, size_t kMax>
inline constexpr Value<std::vector<ValueOf<kItem>>> kOrderedListOf = {
    ReadList<kItem, kMax>, [] { return Ordered(DescribeList(kItem.describe(), kMax)); }};

// One word of a fixed set.
template <typename E>
struct Word {
  const char* text;
  E value;
};

// Index of the node's text in `words`; reports and returns -1 if it is none.
int FindWord(const YamlNode& node, const std::vector<std::string>& words, Diagnostics& diagnostics);

ValueType DescribeWords(std::vector<std::string> words);

template <const auto& kWords>
std::vector<std::string> TextsOf() {
  std::vector<std::string> words;
  for (const auto& word : kWords) words.push_back(word.text);
  return words;
}

template <const auto& kWords, typename E>
void ReadWord(const YamlNode& node, E& value, Diagnostics& diagnostics) {
  const int index = FindWord(node, TextsOf<kWords>(), diagnostics);
  if (index >= 0) value = kWords[index].value;
}

template <typename E, const auto& kWords>
inline constexpr Value<E> kWord = {ReadWord<kWords, E>,
                                   [] { return DescribeWords(TextsOf<kWords>()); }};

// Text: in quotes, or plain where YAML has no other meaning for it.
void ReadText(const YamlNode& node, std::string& text, Diagnostics& diagnostics);

// As ReadText; true if there is text to look at further.
bool ReadTextTo(const YamlNode& node, std::string& text, Diagnostics& diagnostics);

ValueType DescribeText(const char* label, const char* plural, std::string pattern, uint64_t min,
                       uint64_t max);

// `true` or `false`; YAML's yes, no, on and off are refused.
void ReadFlag(const YamlNode& node, bool& flag, Diagnostics& diagnostics);
ValueType DescribeFlag();
inline constexpr Value<bool> kFlag = {ReadFlag, DescribeFlag};

void ReadQuantity(const YamlNode& node, uint64_t& bytes, Diagnostics& diagnostics);
ValueType DescribeQuantity(uint64_t min, uint64_t max, uint64_t multiple);
inline constexpr Value<uint64_t> kQuantity = {ReadQuantity,
                                              [] { return DescribeQuantity(0, 0, 1); }};

// A quantity from kMin to kMax in steps of kMultiple, all in bytes.
void CheckQuantity(const YamlNode& node, const ValueType& type, uint64_t read, uint64_t& bytes,
                   Diagnostics& diagnostics);

template <uint64_t kMin, uint64_t kMax, uint64_t kMultiple>
inline constexpr Value<uint64_t> kQuantityIn = {
    [](const YamlNode& node, uint64_t& bytes, Diagnostics& diagnostics) {
      uint64_t read = 0;
      const size_t errors = diagnostics.count();
      ReadQuantity(node, read, diagnostics);
      if (diagnostics.count() != errors) return;
      CheckQuantity(node, DescribeQuantity(kMin, kMax, kMultiple), read, bytes, diagnostics);
    },
    [] { return DescribeQuantity(kMin, kMax, kMultiple); }};

// A decimal number; leading zeros (octal to YAML 1.1) are refused.
void ReadInteger(const YamlNode& node, int32_t lowest, int32_t highest, int32_t& number,
                 Diagnostics& diagnostics);
ValueType DescribeInteger(int32_t lowest, int32_t highest);

template <int32_t kLowest, int32_t kHighest>
inline constexpr Value<int32_t> kIntegerIn = {
    [](const YamlNode& node, int32_t& number, Diagnostics& diagnostics) {
      ReadInteger(node, kLowest, kHighest, number, diagnostics);
    },
    [] { return DescribeInteger(kLowest, kHighest); }};
inline constexpr Value<int32_t> kInteger = kIntegerIn<INT32_MIN, INT32_MAX>;

}  // namespace pagewarden
