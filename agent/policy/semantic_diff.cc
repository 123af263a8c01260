// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/semantic_diff.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/policy/quantity.h"
#include "agent/policy/schema.h"

namespace pagewarden {
namespace {

using Kind = ValueType::Kind;

struct Values {
  std::map<std::string, std::string> fields;              // by path
  std::map<std::string, std::string> items;               // of lists of named maps, by path
  std::map<std::string, std::vector<std::string>> order;  // names of items whose order counts
};

std::string ScalarText(const std::string& text, const ValueType& type) {
  if (type.kind != Kind::kQuantity) return text;
  const absl::StatusOr<uint64_t> bytes = ParseQuantity(text);
  return bytes.ok() ? FormatQuantity(*bytes) : text;
}

// One line, the same for all ways to write the value.
std::string ValueText(const YamlNode& node, const ValueType& type);

std::string ListText(const YamlNode& node, const ValueType& type) {
  std::vector<std::string> items;
  for (const YamlNode& item : node.items) items.push_back(ValueText(item, type.item[0]));
  if (!type.ordered) std::sort(items.begin(), items.end());
  return absl::StrCat("[", absl::StrJoin(items, ", "), "]");
}

std::string ObjectText(const YamlNode& node, const ValueType& type) {
  std::vector<std::string> fields;
  for (const FieldType& field : type.fields) {
    const YamlNode* value = FindValue(node, field.key);
    if (value == nullptr) continue;
    fields.push_back(absl::StrCat(field.key, ": ", ValueText(*value, field.type)));
  }
  return absl::StrCat("{", absl::StrJoin(fields, ", "), "}");
}

std::string ValueText(const YamlNode& node, const ValueType& type) {
  if (type.kind == Kind::kList) return ListText(node, type);
  if (type.kind == Kind::kObject) return ObjectText(node, type);
  return ScalarText(node.value, type);
}

// What people call an item of a list of maps: its name, or the preset of a rule.
std::string ItemName(const YamlNode& item, size_t index) {
  const YamlNode* match = FindValue(item, "match");
  const YamlNode* preset = match == nullptr ? nullptr : FindValue(*match, "preset");
  for (const YamlNode* name : {FindValue(item, "name"), preset}) {
    if (name != nullptr) return name->value;
  }
  return absl::StrCat(index + 1);
}

bool HasNames(const ValueType& item) {
  return std::any_of(item.fields.begin(), item.fields.end(),
                     [](const FieldType& field) { return field.key == "name"; });
}

class Flattener {
 public:
  Values Take() && { return std::move(values_); }

  // `node` null: it is not there, and its defaults hold.
  void AddObject(const YamlNode* node, const ValueType& type, const std::string& prefix) {
    for (const FieldType& field : type.fields) {
      const YamlNode* value = node == nullptr ? nullptr : FindValue(*node, field.key);
      AddField(value, field, absl::StrCat(prefix, field.key));
    }
  }

 private:
  void AddField(const YamlNode* value, const FieldType& field, const std::string& path) {
    if (field.type.kind == Kind::kObject) {
      AddObject(value, field.type, absl::StrCat(path, "."));
    } else if (value == nullptr) {
      if (!field.fallback.empty()) values_.fields[path] = ScalarText(field.fallback, field.type);
    } else if (field.type.kind == Kind::kTextMap) {
      for (const YamlEntry& entry : value->entries) {
        values_.fields[absl::StrCat(path, ".", entry.key.value)] = entry.value.value;
      }
    } else if (field.type.kind == Kind::kList && HasNames(field.type.item[0])) {
      AddNamedItems(*value, field.type, path);
    } else {
      values_.fields[path] = ValueText(*value, field.type);
    }
  }

  void AddNamedItems(const YamlNode& list, const ValueType& type, const std::string& path) {
    std::vector<std::string> names;
    for (size_t i = 0; i < list.items.size(); ++i) {
      const YamlNode& item = list.items[i];
      names.push_back(ItemName(item, i));
      const std::string item_path = absl::StrCat(path, "[", names.back(), "]");
      values_.items[item_path] = ObjectText(item, type.item[0]);
      AddObject(&item, type.item[0], absl::StrCat(item_path, "."));
    }
    if (type.ordered) values_.order[path] = std::move(names);
  }

  Values values_;
};

using Texts = std::map<std::string, std::string>;

// All that differs between two maps; what is in one of them only has no other text.
std::vector<FieldChange> CompareTexts(const Texts& before, const Texts& after) {
  std::vector<FieldChange> changes;
  for (const auto& [path, value] : before) {
    const auto now = after.find(path);
    if (now == after.end()) {
      changes.push_back({path, value, ""});
    } else if (now->second != value) {
      changes.push_back({path, value, now->second});
    }
  }
  for (const auto& [path, value] : after) {
    if (before.find(path) == before.end()) changes.push_back({path, "", value});
  }
  return changes;
}

// Items that are new or gone, each as a whole.
std::vector<FieldChange> CompareItems(const Texts& before, const Texts& after) {
  std::vector<FieldChange> changes = CompareTexts(before, after);
  const auto in_both = [](const FieldChange& c) { return !c.before.empty() && !c.after.empty(); };
  changes.erase(std::remove_if(changes.begin(), changes.end(), in_both), changes.end());
  return changes;
}

bool IsBelowAny(const std::string& path, const std::vector<FieldChange>& items) {
  return std::any_of(items.begin(), items.end(), [&](const FieldChange& item) {
    return absl::StartsWith(path, absl::StrCat(item.path, "."));
  });
}

// Without those that the other list does not have.
std::string Common(const std::vector<std::string>& names, const std::vector<std::string>& other) {
  std::vector<std::string> common;
  for (const std::string& name : names) {
    if (std::find(other.begin(), other.end(), name) != other.end()) common.push_back(name);
  }
  return absl::StrJoin(common, ", ");
}

std::vector<FieldChange> CompareOrder(const Values& before, const Values& after) {
  std::vector<FieldChange> changes;
  for (const auto& [path, names] : before.order) {
    const auto now = after.order.find(path);
    if (now == after.order.end()) continue;
    const std::string was = Common(names, now->second), is = Common(now->second, names);
    if (was != is) changes.push_back({absl::StrCat(path, " order"), was, is});
  }
  return changes;
}

std::vector<FieldChange> Compare(const Values& before, const Values& after) {
  std::vector<FieldChange> changes = CompareItems(before.items, after.items);
  std::vector<FieldChange> fields = CompareTexts(before.fields, after.fields);
  fields.erase(std::remove_if(fields.begin(), fields.end(),
                              [&](const FieldChange& c) { return IsBelowAny(c.path, changes); }),
               fields.end());
  for (FieldChange& change : fields) changes.push_back(std::move(change));
  for (FieldChange& change : CompareOrder(before, after)) changes.push_back(std::move(change));
  std::sort(changes.begin(), changes.end(),
            [](const FieldChange& a, const FieldChange& b) { return a.path < b.path; });
  return changes;
}

using Key = std::pair<std::string, std::string>;  // kind and name

std::map<Key, Values> Flatten(const std::vector<YamlNode>& documents) {
  const std::vector<KindType> kinds = DescribeKinds();
  std::map<Key, Values> flat;
  for (const YamlNode& document : documents) {
    const YamlNode* name = FindValue(document, "kind");
    const YamlNode* metadata = FindValue(document, "metadata");
    if (name == nullptr || metadata == nullptr) continue;
    const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                   [&](const KindType& k) { return k.name == name->value; });
    const YamlNode* own_name = FindValue(*metadata, "name");
    if (kind == kinds.end() || own_name == nullptr) continue;
    Flattener flattener;
    flattener.AddObject(&document, kind->document, "");
    flat[{kind->name, own_name->value}] = std::move(flattener).Take();
  }
  return flat;
}

}  // namespace

std::vector<PolicyChange> DiffPolicies(const std::vector<YamlNode>& before,
                                       const std::vector<YamlNode>& after) {
  using What = PolicyChange::What;
  const std::map<Key, Values> old_ones = Flatten(before), new_ones = Flatten(after);
  std::map<Key, PolicyChange> changes;
  for (const auto& [key, values] : old_ones) {
    const auto now = new_ones.find(key);
    PolicyChange change{What::kRemoved, key.first, key.second, {}};
    if (now != new_ones.end()) {
      change.what = What::kChanged;
      change.fields = Compare(values, now->second);
      if (change.fields.empty()) continue;
    }
    changes[key] = std::move(change);
  }
  for (const auto& [key, unused] : new_ones) {
    if (old_ones.find(key) == old_ones.end())
      changes[key] = {What::kAdded, key.first, key.second, {}};
  }
  std::vector<PolicyChange> list;
  for (auto& [key, change] : changes) list.push_back(std::move(change));
  return list;
}

std::string CanonicalText(const YamlNode& document) {
  std::string text;
  for (const auto& [key, values] : Flatten({document})) {
    absl::StrAppend(&text, key.first, " ", key.second, "\n");
    // Lengths: no value can pass for the end of another.
    for (const auto& [path, value] : values.fields) {
      absl::StrAppend(&text, path, " ", value.size(), " ", value, "\n");
    }
    for (const auto& [path, value] : values.items) {
      absl::StrAppend(&text, path, " ", value.size(), " ", value, "\n");
    }
    for (const auto& [path, names] : values.order) {
      absl::StrAppend(&text, path, " order ", absl::StrJoin(names, ", "), "\n");
    }
  }
  return text;
}

}  // namespace pagewarden
