// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/fields.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/base/closest_word.h"
#include "agent/policy/quantity.h"

namespace pagewarden {
namespace {

std::string Suggestion(absl::string_view word, const std::vector<std::string>& candidates) {
  const std::string closest = ClosestWord(word, candidates);
  if (!closest.empty()) return absl::StrCat("did you mean ", Quoted(closest), "?");
  return absl::StrCat("accepted: ", absl::StrJoin(candidates, ", "));
}

// As it was written, without quotes: cut and made safe as Quoted does.
std::string Unquoted(absl::string_view text) {
  const std::string quoted = Quoted(text);
  return quoted.substr(1, quoted.size() - 2);
}

// "a, b or c".
std::string Alternatives(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : i + 1 < words.size() ? ", " : " or ", words[i]);
  }
  return text;
}

std::vector<std::string> KeysOf(const std::vector<KeyRule>& rules) {
  std::vector<std::string> keys;
  for (const KeyRule& rule : rules) keys.push_back(rule.key);
  return keys;
}

void AddUnknownKey(const YamlNode& key, const std::vector<KeyRule>& rules,
                   Diagnostics& diagnostics) {
  diagnostics.Add(key.at, PolicyError::kUnknownKey, absl::StrCat("unknown key ", Quoted(key.value)),
                  Suggestion(key.value, KeysOf(rules)));
}

bool ExpectScalar(const YamlNode& node, absl::string_view expected, Diagnostics& diagnostics) {
  if (node.kind == YamlNode::Kind::kScalar) return true;
  if (node.kind == YamlNode::Kind::kRefused) return false;
  diagnostics.Add(node.at, PolicyError::kWrongType,
                  absl::StrCat("expected ", expected, ", found ", KindName(node.kind)));
  return false;
}

// Whether YAML 1.1 reads this plain scalar as a number or a truth value.
bool MeansSomethingElse(const std::string& text) {
  static constexpr const char* kTruthValues[] = {"true", "false", "yes", "no", "on", "off"};
  const std::string lower = absl::AsciiStrToLower(text);
  if (std::find(std::begin(kTruthValues), std::end(kTruthValues), lower) !=
      std::end(kTruthValues)) {
    return true;
  }
  double number;
  return absl::SimpleAtod(text, &number);
}

bool IsPlainInteger(absl::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

std::vector<const YamlNode*> MatchKeys(const YamlNode& node, const std::vector<KeyRule>& rules,
                                       Diagnostics& diagnostics) {
  std::vector<const YamlNode*> values(rules.size());
  if (!ExpectKind(node, YamlNode::Kind::kMap, diagnostics)) return values;
  std::set<std::string> meant;  // by unknown keys
  for (const YamlEntry& entry : node.entries) {
    const auto rule = std::find_if(rules.begin(), rules.end(),
                                   [&](const KeyRule& r) { return entry.key.value == r.key; });
    if (rule == rules.end()) {
      AddUnknownKey(entry.key, rules, diagnostics);
      meant.insert(ClosestWord(entry.key.value, KeysOf(rules)));
    } else {
      values[static_cast<size_t>(rule - rules.begin())] = &entry.value;
    }
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].required || values[i] != nullptr || meant.count(rules[i].key) > 0) continue;
    diagnostics.Add(node.at, PolicyError::kMissing,
                    absl::StrCat("required key ", Quoted(rules[i].key), " is missing"));
  }
  return values;
}

bool ExpectKind(const YamlNode& node, YamlNode::Kind kind, Diagnostics& diagnostics) {
  if (node.kind == YamlNode::Kind::kRefused) return false;
  if (node.kind != kind) {
    diagnostics.Add(node.at, PolicyError::kWrongType,
                    absl::StrCat("expected ", KindName(kind), ", found ", KindName(node.kind)));
    return false;
  }
  if (node.kind == YamlNode::Kind::kList && node.items.empty()) {
    diagnostics.Add(node.at, PolicyError::kMissing, "the list is empty",
                    "leave the key out or name at least one");
    return false;
  }
  return true;
}

int FindWord(const YamlNode& node, const std::vector<std::string>& words,
             Diagnostics& diagnostics) {
  if (!ExpectScalar(node, Alternatives(words), diagnostics)) return -1;
  const auto found = std::find(words.begin(), words.end(), node.value);
  if (found != words.end()) return static_cast<int>(found - words.begin());
  diagnostics.Add(
      node.at, PolicyError::kUnknownWord,
      absl::StrCat("unknown value ", Quoted(node.value), ", expected ", Alternatives(words)),
      ClosestWord(node.value, words).empty() ? "" : Suggestion(node.value, words));
  return -1;
}

void CheckLength(const YamlNode& list, size_t max, Diagnostics& diagnostics) {
  if (max == 0 || list.items.size() <= max) return;
  diagnostics.Add(list.items[max].at, PolicyError::kOutOfRange,
                  absl::StrCat(list.items.size(), " in the list, at most ", max, " are possible"));
}

ValueType DescribeList(ValueType item, size_t max) {
  ValueType type;
  type.kind = ValueType::Kind::kList;
  type.label = absl::StrCat("list of ", item.plural);
  type.plural = absl::StrCat("lists of ", item.plural);
  type.max_items = max;
  type.item.push_back(std::move(item));
  return type;
}

ValueType Ordered(ValueType list) {
  list.ordered = true;
  return list;
}

ValueType DescribeWords(std::vector<std::string> words) {
  ValueType type;
  type.kind = ValueType::Kind::kWord;
  type.label = absl::StrCat("`", absl::StrJoin(words, "`, `"), "`");
  type.plural = type.label;
  type.words = std::move(words);
  return type;
}

void ReadText(const YamlNode& node, std::string& text, Diagnostics& diagnostics) {
  if (!ExpectScalar(node, "text", diagnostics)) return;
  if (!node.quoted && MeansSomethingElse(node.value)) {
    diagnostics.Add(node.at, PolicyError::kWrongType,
                    absl::StrCat("expected text, found ", Unquoted(node.value)),
                    absl::StrCat("write ", Quoted(node.value)));
    return;
  }
  text = node.value;
}

bool ReadTextTo(const YamlNode& node, std::string& text, Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  ReadText(node, text, diagnostics);
  return diagnostics.count() == errors;
}

ValueType DescribeText(const char* label, const char* plural, std::string pattern, uint64_t min,
                       uint64_t max) {
  ValueType type;
  type.label = label;
  type.plural = plural;
  type.pattern = std::move(pattern);
  type.min = min;
  type.max = max;
  return type;
}

void ReadFlag(const YamlNode& node, bool& flag, Diagnostics& diagnostics) {
  if (!ExpectScalar(node, "true or false", diagnostics)) return;
  if (!node.quoted && (node.value == "true" || node.value == "false")) {
    flag = node.value == "true";
    return;
  }
  diagnostics.Add(node.at, PolicyError::kWrongType,
                  absl::StrCat("expected true or false, found ", Quoted(node.value)));
}

ValueType DescribeFlag() {
  ValueType type;
  type.kind = ValueType::Kind::kFlag;
  type.label = "`true`, `false`";
  type.plural = type.label;
  return type;
}

void ReadQuantity(const YamlNode& node, uint64_t& bytes, Diagnostics& diagnostics) {
  if (!ExpectScalar(node, "a quantity such as 64Ki", diagnostics)) return;
  const absl::StatusOr<uint64_t> parsed = ParseQuantity(node.value);
  if (parsed.ok()) {
    bytes = *parsed;
  } else {
    diagnostics.Add(node.at, PolicyError::kBadQuantity, std::string(parsed.status().message()));
  }
}

ValueType DescribeQuantity(uint64_t min, uint64_t max, uint64_t multiple) {
  ValueType type;
  type.kind = ValueType::Kind::kQuantity;
  type.label = "quantity";
  type.plural = "quantities";
  type.min = min;
  type.max = max;
  type.multiple = multiple;
  return type;
}

void CheckQuantity(const YamlNode& node, const ValueType& type, uint64_t read, uint64_t& bytes,
                   Diagnostics& diagnostics) {
  if (read >= type.min && read <= type.max && read % type.multiple == 0) {
    bytes = read;
    return;
  }
  diagnostics.Add(
      node.at, PolicyError::kOutOfRange,
      absl::StrCat(Quoted(node.value), " is not a multiple of ", FormatQuantity(type.multiple),
                   " between ", FormatQuantity(type.min), " and ", FormatQuantity(type.max)));
}

void ReadInteger(const YamlNode& node, int32_t lowest, int32_t highest, int32_t& number,
                 Diagnostics& diagnostics) {
  if (!ExpectScalar(node, "a whole number", diagnostics)) return;
  if (node.quoted || !IsPlainInteger(node.value)) {
    diagnostics.Add(node.at, PolicyError::kWrongType,
                    absl::StrCat("expected a whole number, found ", Quoted(node.value)));
    return;
  }
  int32_t parsed;
  if (absl::SimpleAtoi(node.value, &parsed) && parsed >= lowest && parsed <= highest) {
    number = parsed;
  } else {
    diagnostics.Add(node.at, PolicyError::kOutOfRange,
                    absl::StrCat(Unquoted(node.value), " is outside ", lowest, " to ", highest));
  }
}

ValueType DescribeInteger(int32_t lowest, int32_t highest) {
  ValueType type;
  type.kind = ValueType::Kind::kInteger;
  type.label = "whole number";
  type.plural = "whole numbers";
  type.lowest = lowest;
  type.highest = highest;
  return type;
}

}  // namespace pagewarden
