// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/reference.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "agent/policy/field_paths.h"
#include "agent/policy/schema.h"

namespace pagewarden {
namespace {

using Kind = ValueType::Kind;

std::string DefaultOf(const FieldType& field) {
  if (field.required) return "required";
  if (!field.fallback.empty()) return absl::StrCat("`", field.fallback, "`");
  return field.absent;
}

std::string TextOf(const FieldType& field) {
  if (field.example.empty()) return field.text;
  return absl::StrCat(field.text, ". For example: `", field.example, "`");
}

bool IsListOfMaps(const ValueType& type) {
  return type.kind == Kind::kList && type.item[0].kind == Kind::kObject;
}

// The keys of a table, to know one that was there before.
std::string KeysOf(const ValueType& object) {
  std::string keys;
  for (const FieldType& field : object.fields) absl::StrAppend(&keys, field.key, " ");
  return keys;
}

class ReferenceText {
 public:
  void AddKind(const KindType& kind) {
    absl::StrAppend(&text_, "### `", kind.name, "`\n\n", kind.text, "\n\n");
    for (const FieldType& field : kind.document.fields) {
      if (field.key == "spec") AddTable("spec", field.type);
    }
  }

  // The fields of one map. Maps in it are rows of the same table, lists of maps tables of
  // their own.
  void AddTable(const std::string& name, const ValueType& object) {
    if (!seen_.insert(absl::StrCat(name, ":", KeysOf(object))).second) return;
    absl::StrAppend(&text_, "| field of `", name, "` | type | default | |\n|---|---|---|---|\n");
    std::vector<const FieldType*> lists;
    AddRows(object, "", lists);
    absl::StrAppend(&text_, "\n");
    for (const FieldType* list : lists) {
      AddTable(absl::StrCat(list->key, "[]"), list->type.item[0]);
    }
  }

  std::string Take() && { return std::move(text_); }

 private:
  void AddRows(const ValueType& object, const std::string& prefix,
               std::vector<const FieldType*>& lists) {
    for (const FieldType& field : object.fields) {
      const std::string key = absl::StrCat(prefix, field.key);
      absl::StrAppend(&text_, "| `", key, "` | ", DescribeType(field.type), " | ", DefaultOf(field),
                      " | ", TextOf(field), " |\n");
      if (IsListOfMaps(field.type)) lists.push_back(&field);
      if (field.type.kind == Kind::kObject) AddRows(field.type, absl::StrCat(key, "."), lists);
    }
  }

  std::string text_;
  std::set<std::string> seen_;
};

void AddEnvelope(const std::vector<KindType>& kinds, std::string& text) {
  absl::StrAppend(&text, "### Every kind\n\n| field | type | default | |\n|---|---|---|---|\n");
  for (const FieldType& field : kinds[0].document.fields) {
    const bool is_kind = field.key == "kind";
    std::string type = field.type.label;
    for (size_t i = 1; is_kind && i < kinds.size(); ++i) {
      absl::StrAppend(&type, ", `", kinds[i].name, "`");
    }
    absl::StrAppend(&text, "| `", field.key, "` | ", type, " | ", DefaultOf(field), " | ",
                    TextOf(field), " |\n");
    if (field.key != "metadata") continue;
    for (const FieldType& inner : field.type.fields) {
      absl::StrAppend(&text, "| `metadata.", inner.key, "` | ", DescribeType(inner.type), " | ",
                      DefaultOf(inner), " | ", TextOf(inner), " |\n");
    }
  }
  absl::StrAppend(&text, "\n");
}

}  // namespace

std::string PolicyReferenceMarkdown() {
  const std::vector<KindType> kinds = DescribeKinds();
  std::string text;
  AddEnvelope(kinds, text);
  ReferenceText reference;
  for (const KindType& kind : kinds) reference.AddKind(kind);
  return absl::StrCat(text, std::move(reference).Take());
}

}  // namespace pagewarden
