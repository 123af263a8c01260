// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/field_paths.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/policy/quantity.h"
#include "agent/policy/schema.h"

namespace pagewarden {
namespace {

using Kind = ValueType::Kind;

void AddFields(const std::string& kind, const ValueType& object, const std::string& prefix,
               std::vector<FieldPath>& paths) {
  for (const FieldType& field : object.fields) {
    const std::string path = absl::StrCat(prefix, field.key);
    paths.push_back({kind, path, field});
    const bool is_list = field.type.kind == Kind::kList;
    AddFields(kind, is_list ? field.type.item[0] : field.type,
              absl::StrCat(path, is_list ? "[]." : "."), paths);
  }
}

std::string WithoutBrackets(const std::string& path) {
  return absl::StrReplaceAll(path, {{"[]", ""}});
}

std::string Bounds(const ValueType& type) {
  if (type.max == 0) return "";
  return absl::StrCat(", multiple of ", FormatQuantity(type.multiple), ", ",
                      FormatQuantity(type.min), " to ", FormatQuantity(type.max));
}

}  // namespace

std::vector<FieldPath> AllFieldPaths() {
  std::vector<FieldPath> paths;
  for (const KindType& kind : DescribeKinds()) AddFields(kind.name, kind.document, "", paths);
  return paths;
}

std::vector<FieldPath> FindFields(const std::string& name) {
  const std::string wanted = WithoutBrackets(name);
  std::vector<FieldPath> found;
  for (FieldPath& field : AllFieldPaths()) {
    const std::string full = absl::StrCat(field.kind, ".", WithoutBrackets(field.path));
    if (full == wanted || absl::EndsWith(full, absl::StrCat(".", wanted))) {
      found.push_back(std::move(field));
    }
  }
  return found;
}

std::string DescribeType(const ValueType& type) {
  if (type.kind == Kind::kQuantity) return absl::StrCat(type.label, Bounds(type));
  if (type.kind == Kind::kInteger) {
    const bool all = type.lowest == INT32_MIN && type.highest == INT32_MAX;
    return absl::StrCat(type.label, ", ",
                        all ? "32 bit" : absl::StrCat(type.lowest, " to ", type.highest));
  }
  if (type.kind == Kind::kList && type.max_items > 0) {
    return absl::StrCat(type.label, ", at most ", type.max_items);
  }
  if (type.kind == Kind::kText && type.max > 0 && type.max < 63) {
    return absl::StrCat(type.label, ", at most ", type.max, " characters");
  }
  return type.label;
}

}  // namespace pagewarden
