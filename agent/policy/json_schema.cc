// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/json_schema.h"

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/policy/schema.h"
#include "agent/policy/yaml_tree.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;
using Kind = ValueType::Kind;

Json ValueJson(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kList) {
    Json list = Json::array();
    for (const YamlNode& item : node.items) list.push_back(ValueJson(item));
    return list;
  }
  if (node.kind == YamlNode::Kind::kMap) {
    Json map = Json::object();
    for (const YamlEntry& entry : node.entries) map[entry.key.value] = ValueJson(entry.value);
    return map;
  }
  int64_t number;
  if (node.quoted) return node.value;
  if (node.value == "true" || node.value == "false") return node.value == "true";
  if (absl::SimpleAtoi(node.value, &number)) return number;
  return node.value;
}

// A default or an example, as the tables have it.
Json ParsedJson(const std::string& yaml) {
  Diagnostics unused;
  const auto documents = ParseYaml(std::make_shared<Source>("", yaml), unused);
  return documents.empty() ? Json(nullptr) : ValueJson(documents[0]);
}

Json SchemaOf(const ValueType& type);

Json TextSchema(const ValueType& type) {
  Json schema = {{"type", "string"}};
  if (type.min > 0) schema["minLength"] = type.min;
  if (type.max > 0) schema["maxLength"] = type.max;
  if (!type.pattern.empty()) schema["pattern"] = type.pattern;
  return schema;
}

Json QuantitySchema(const ValueType& type) {
  Json number = {{"type", "integer"}, {"minimum", type.min}};
  if (type.max > 0) number["maximum"] = type.max;
  if (type.multiple > 1) number["multipleOf"] = type.multiple;
  const Json text = {{"type", "string"}, {"pattern", "^(0|[1-9][0-9]*)(Ki|Mi|Gi)?$"}};
  return {{"anyOf", {text, number}}};
}

Json TextMapSchema(const ValueType& type) {
  Json schema = {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
  if (!type.pattern.empty()) schema["propertyNames"] = {{"pattern", type.pattern}};
  return schema;
}

Json ListSchema(const ValueType& type) {
  Json schema = {{"type", "array"}, {"items", SchemaOf(type.item[0])}, {"minItems", 1}};
  if (type.max_items > 0) schema["maxItems"] = type.max_items;
  if (type.unique_items) schema["uniqueItems"] = true;
  return schema;
}

Json AnyRequired(const std::vector<std::string>& keys) {
  Json choices = Json::array();
  for (const std::string& key : keys) choices.push_back({{"required", Json::array({key})}});
  return choices;
}

Json FieldSchema(const FieldType& field) {
  Json schema = {{"description", field.text}};
  schema.update(SchemaOf(field.type));
  if (!field.fallback.empty()) schema["default"] = ParsedJson(field.fallback);
  if (!field.example.empty()) schema["examples"] = Json::array({ParsedJson(field.example)});
  return schema;
}

Json ObjectSchema(const ValueType& type) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const FieldType& field : type.fields) {
    properties[field.key] = FieldSchema(field);
    if (field.required) required.push_back(field.key);
  }
  Json schema = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = required;
  if (!type.one_of.empty()) schema["oneOf"] = AnyRequired(type.one_of);
  if (!type.some_of.empty()) schema["anyOf"] = AnyRequired(type.some_of);
  return schema;
}

Json SchemaOf(const ValueType& type) {
  switch (type.kind) {
    case Kind::kText:
      return TextSchema(type);
    case Kind::kFlag:
      return type.only_true ? Json{{"const", true}} : Json{{"type", "boolean"}};
    case Kind::kInteger:
      return {{"type", "integer"}, {"minimum", type.lowest}, {"maximum", type.highest}};
    case Kind::kQuantity:
      return QuantitySchema(type);
    case Kind::kWord:
      return {{"enum", type.words}};
    case Kind::kTextMap:
      return TextMapSchema(type);
    case Kind::kList:
      return ListSchema(type);
    case Kind::kObject:
      return ObjectSchema(type);
  }
  return {};
}

}  // namespace

std::string PolicyJsonSchema() {
  Json definitions = Json::object();
  Json names = Json::array();
  Json by_kind = Json::array();
  for (const KindType& kind : DescribeKinds()) {
    names.push_back(kind.name);
    Json definition = {{"description", kind.text}};
    definition.update(SchemaOf(kind.document));
    definitions[kind.name] = definition;
    // By kind, and not by trying each: errors are then about the kind that is meant.
    by_kind.push_back({{"if", {{"properties", {{"kind", {{"const", kind.name}}}}}}},
                       {"then", {{"$ref", absl::StrCat("#/definitions/", kind.name)}}}});
  }
  const Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                       {"title", absl::StrCat("Pagewarden policy, ", kApiVersion)},
                       {"type", "object"},
                       {"required", {"apiVersion", "kind", "metadata", "spec"}},
                       {"properties", {{"kind", {{"enum", names}}}}},
                       {"allOf", by_kind},
                       {"definitions", definitions}};
  return schema.dump(2) + "\n";
}

}  // namespace pagewarden
