// SPDX-License-Identifier: Apache-2.0
// The language as data: what comes from the tables of fields agrees with the rest.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/policy/field_paths.h"
#include "agent/policy/image.h"
#include "agent/policy/json_schema.h"
#include "agent/policy/reference.h"
#include "agent/policy/semantic_diff.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kHead[] = "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\n";

// To renew it: pagewarden policy schema --markdown, between the two lines.
TEST(Reference, StandsInTheDocumentation) {
  const std::string document = ReadFile(SOURCE_ROOT "/docs/policy.md");
  const size_t start = document.find(kReferenceStart), end = document.find(kReferenceEnd);
  ASSERT_NE(start, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const size_t from = start + sizeof(kReferenceStart) - 1;
  EXPECT_TRUE(document.substr(from, end - from) == PolicyReferenceMarkdown())
      << "docs/policy.md is not what pagewarden policy schema --markdown prints";
}

std::string ImageOf(const std::string& rest) {
  const PolicySet set = LoadValid(kHead + rest);
  return CompilePolicyImage(set.policies).value_or("");
}

// The value of each key that has a default, as YAML; objects are built up from them.
std::string Defaults(const std::string& path_of_map) {
  std::string yaml;
  for (const FieldPath& field : AllFieldPaths()) {
    if (field.kind != "AllocationPolicy" || field.field.fallback.empty()) continue;
    if (field.path != absl::StrCat(path_of_map, ".", field.field.key)) continue;
    absl::StrAppend(&yaml, ", ", field.field.key, ": ", field.field.fallback);
  }
  return yaml;
}

TEST(Defaults, AreThoseOfTheModel) {
  const std::string implicit = ImageOf(
      "metadata: {name: p}\n"
      "spec: {rules: [{match: {during: [f]}}], arenas: [{name: default}]}\n");
  const std::string arena = Defaults("spec.arenas[]"), rule = Defaults("spec.rules[]");
  EXPECT_THAT(arena, ::testing::HasSubstr("onFork: Relock"));
  EXPECT_THAT(rule, ::testing::HasSubstr("priority: 0"));
  const std::string spelled_out = ImageOf(absl::StrCat(
      "metadata: {name: p}\nspec: {rules: [{match: {during: [f], size: {min: 0}}", rule,
      "}], arenas: [{name: default", arena, "}], pin: {", Defaults("spec.pin").substr(2),
      "}, selector: {", Defaults("spec.selector").substr(2), "}", Defaults("spec"), "}\n"));
  EXPECT_NE(implicit, "");
  EXPECT_EQ(implicit, spelled_out);
}

TEST(Examples, AreAccepted) {
  for (const FieldPath& field : AllFieldPaths()) {
    if (field.field.example.empty() || field.kind != "AllocationPolicy") continue;
    const std::string value = absl::StrCat(field.field.key, ": ", field.field.example);
    const std::string rule = field.path.find(".match.") != std::string::npos ? value : "all: true";
    const bool in_selector = field.path.find("spec.selector.") == 0;
    const bool in_spec = field.path == "spec." + field.field.key;
    Diagnostics diagnostics;
    LoadWithPresets("example.yaml",
                    absl::StrCat(kHead, "metadata: {name: p}\nspec: {rules: [{match: {", rule,
                                 "}}]", in_spec ? ", " + value : "",
                                 in_selector ? ", selector: {" + value + "}" : "", "}\n"),
                    diagnostics);
    EXPECT_EQ(diagnostics.Render(), "") << field.path;
  }
}

TEST(FieldPaths, AreFoundByTheirEnds) {
  ASSERT_EQ(FindFields("arenas.capacity").size(), 1u);
  EXPECT_EQ(FindFields("arenas.capacity")[0].path, "spec.arenas[].capacity");
  EXPECT_EQ(FindFields("spec.arenas[].capacity").size(), 1u);
  EXPECT_EQ(FindFields("spec.mode").size(), 2u);  // of two kinds
  EXPECT_EQ(FindFields("MemlockBudget.spec.mode").size(), 1u);
  EXPECT_THAT(FindFields("pacity"), IsEmpty());
  EXPECT_THAT(DescribeType(FindFields("arenas.capacity")[0].field.type),
              "quantity, multiple of 4Ki, 4Ki to 1Gi");
}

TEST(JsonSchema, HasEveryFieldWithItsText) {
  const auto schema = nlohmann::json::parse(PolicyJsonSchema());
  const auto& arena = schema["definitions"]["AllocationPolicy"]["properties"]["spec"]["properties"]
                            ["arenas"]["items"];
  EXPECT_EQ(arena["properties"]["onFork"]["enum"], nlohmann::json({"Relock", "Wipe", "Exclude"}));
  EXPECT_EQ(arena["properties"]["capacity"]["default"], "1Mi");
  EXPECT_EQ(arena["additionalProperties"], false);
  EXPECT_EQ(arena["required"], nlohmann::json({"name"}));
}

std::vector<std::string> Diff(const std::string& before, const std::string& after) {
  const auto parse = [](const std::string& text) {
    Diagnostics diagnostics;
    PolicySet set;
    std::vector<YamlNode> documents;
    LoadSource(std::make_shared<Source>("x", text), set, diagnostics, &documents);
    EXPECT_EQ(diagnostics.Render(), "");
    return documents;
  };
  std::vector<std::string> lines;
  for (const PolicyChange& change : DiffPolicies(parse(before), parse(after))) {
    if (change.fields.empty()) {
      lines.push_back((change.what == PolicyChange::What::kAdded ? "+" : "-") + change.name);
    }
    for (const FieldChange& field : change.fields) {
      lines.push_back(absl::StrCat(field.path, ": ", field.before, " -> ", field.after));
    }
  }
  return lines;
}

std::string Spec(const std::string& spec, const std::string& name = "p") {
  return absl::StrCat(kHead, "metadata: {name: ", name, "}\nspec: {", spec, "}\n");
}

TEST(SemanticDiff, IgnoresHowThingsAreWritten) {
  EXPECT_THAT(Diff(Spec("rules: [{match: {during: [a, b]}}]"),
                   Spec("mode: Enforce, priority: 0, rules: [{priority: 0, match: {during: [b, a], "
                        "size: {min: 0}}}]")),
              IsEmpty());
  EXPECT_THAT(Diff(Spec("arenas: [{name: a, capacity: 8192}]"),
                   Spec("arenas: [{name: a, capacity: 8Ki, backing: [LockedAnonymous]}]")),
              IsEmpty());
}

TEST(SemanticDiff, NamesWhatChanges) {
  EXPECT_THAT(
      Diff(Spec("rules: [{match: {preset: x}}], arenas: [{name: a}]"),
           Spec("mode: Audit, rules: [{match: {preset: x, threads: [t]}}], arenas: [{name: a, "
                "capacity: 2Mi}, {name: b, capacity: 8Ki}]")),
      ElementsAre("spec.arenas[a].capacity: 1Mi -> 2Mi",
                  "spec.arenas[b]:  -> {name: b, capacity: 8Ki}", "spec.mode: Enforce -> Audit",
                  "spec.rules[x].match.threads:  -> [t]"));
  EXPECT_THAT(Diff(Spec("rules: [{name: a, match: {all: true}}, {name: b, match: {during: [f]}}]"),
                   Spec("rules: [{name: b, match: {during: [f]}}, {name: a, match: {all: true}}]")),
              ElementsAre("spec.rules order: a, b -> b, a"));
  EXPECT_THAT(Diff(Spec("rules: [{match: {all: true}}]", "old"),
                   Spec("rules: [{match: {all: true}}]", "new")),
              ElementsAre("+new", "-old"));
}

}  // namespace
}  // namespace pagewarden
