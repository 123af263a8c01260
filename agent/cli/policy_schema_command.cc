// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/base/closest_word.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/policy_commands.h"
#include "agent/policy/field_paths.h"
#include "agent/policy/json_schema.h"
#include "agent/policy/reference.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] = R"(Show what the policy language accepts.

Examples:
  pagewarden policy schema > policy.schema.json   JSON Schema (draft 7), for editors and CI
  pagewarden policy schema arenas.capacity        one field, or a map with its fields
  pagewarden policy schema --keys                 all fields, one a line
  pagewarden policy schema --markdown             the tables of docs/policy.md

An editor with a YAML language server checks as you type, if the file begins with
  # yaml-language-server: $schema=/usr/share/pagewarden/policy.schema.json

Usage:
  pagewarden policy schema [FIELD | --keys | --markdown]

Options:
  --keys        kind, path and type of each field, with tabs between: for completion
  --markdown    the reference
  -h, --help    print this help

Exit codes: 0 printed, 2 usage, or no such field.
)";

struct SchemaOptions {
  std::string field;
  bool keys = false;
  bool markdown = false;
};

void PrintKeys() {
  for (const FieldPath& field : AllFieldPaths()) {
    std::cout << field.kind << "\t" << field.path << "\t" << DescribeType(field.field.type) << "\n";
  }
}

void PrintField(const FieldPath& path) {
  const FieldType& field = path.field;
  std::cout << path.kind << " " << path.path << "\n  type     " << DescribeType(field.type) << "\n";
  if (field.required) std::cout << "  default  none: required\n";
  if (!field.fallback.empty()) std::cout << "  default  " << field.fallback << "\n";
  if (!field.absent.empty()) std::cout << "  default  " << field.absent << "\n";
  std::cout << "  " << field.text << "\n";
  if (!field.example.empty())
    std::cout << "  example  " << field.key << ": " << field.example << "\n";
  const ValueType& inner = field.type.item.empty() ? field.type : field.type.item[0];
  for (const FieldType& sub : inner.fields) {
    std::cout << "    " << sub.key << ": " << DescribeType(sub.type)
              << (sub.required ? ", required" : "") << "\n";
  }
}

// Only the last part of a path is looked up: the rest says where.
int FailUnknownField(const std::string& name) {
  std::vector<std::string> known;
  for (const FieldPath& field : AllFieldPaths()) known.push_back(field.field.key);
  const size_t last = name.rfind('.') == std::string::npos ? 0 : name.rfind('.') + 1;
  const std::string closest = ClosestWord(name.substr(last), known);
  const std::string hint =
      closest.empty() ? "try --keys"
                      : absl::StrCat("did you mean ", Quoted(name.substr(0, last) + closest), "?");
  return PolicyFail(kExitUsage, absl::StrCat("policy schema: no field ", Quoted(name), "; ", hint));
}

int RunSchema(const SchemaOptions& options) {
  if (options.keys) {
    PrintKeys();
  } else if (options.markdown) {
    std::cout << PolicyReferenceMarkdown();
  } else if (options.field.empty()) {
    std::cout << PolicyJsonSchema();
  } else {
    const std::vector<FieldPath> fields = FindFields(options.field);
    if (fields.empty()) return FailUnknownField(options.field);
    for (const FieldPath& field : fields) PrintField(field);
  }
  return kExitClean;
}

}  // namespace

void AddPolicySchema(CLI::App& group, int& exit_code) {
  const auto options = std::make_shared<SchemaOptions>();
  CLI::App* schema = AddPolicySubcommand(group, "schema", "What the language accepts", kHelp);
  CLI::Option* field = schema->add_option("field", options->field);
  CLI::Option* keys = schema->add_flag("--keys", options->keys)->excludes(field);
  schema->add_flag("--markdown", options->markdown)->excludes(field)->excludes(keys);
  schema->callback([options, &exit_code] { exit_code = RunSchema(*options); });
}

}  // namespace pagewarden
