// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/base/closest_word.h"
#include "agent/policy/diagnostics.h"
#include "agent/policy/utf8.h"

namespace pagewarden {
namespace {

std::shared_ptr<const Source> MakeSource(const std::string& text) {
  return std::make_shared<Source>("a.yaml", text);
}

std::string RenderAt(const std::string& text, int line, int column, PolicyError code,
                     const std::string& hint = "") {
  Diagnostics diagnostics;
  diagnostics.Add({MakeSource(text), line, column}, code, "what", hint);
  return diagnostics.Render();
}

TEST(Diagnostic, PointsAtTheColumn) {
  const std::string shown = RenderAt("a: 1\n  mdoe: x\r\n", 2, 3, PolicyError::kUnknownKey, "hint");
  EXPECT_EQ(shown,
            "a.yaml:2:3: error PW-P010: what\n"
            "    mdoe: x\n"
            "    ^\n"
            "  hint\n");
}

TEST(Diagnostic, CountsCharactersAndKeepsTabs) {
  const std::string shown = RenderAt("\tü: x", 1, 5, PolicyError::kSyntax);
  EXPECT_EQ(shown,
            "a.yaml:1:4: error PW-P004: what\n"
            "  \tü: x\n"
            "  \t  ^\n");
}

TEST(Diagnostic, ShowsNoControlCharacters) {
  const std::string shown = RenderAt("\x1b[31mred", 1, 1, PolicyError::kBadCharacter);
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_EQ(Quoted("\x1b[2J"), "\"\\033[2J\"");
}

TEST(Diagnostic, CutsLongLinesAndQuotes) {
  const std::string shown = RenderAt(std::string(100000, 'x'), 1, 50000, PolicyError::kSyntax);
  EXPECT_LT(shown.size(), 400u);
  EXPECT_LT(Quoted(std::string(100000, 'x')).size(), 100u);
}

TEST(Diagnostic, StandsPastTheEndOfTheText) {
  const std::string shown = RenderAt("a", 9, 9, PolicyError::kSyntax);
  EXPECT_EQ(shown, "a.yaml:9:1: error PW-P004: what\n  \n  ^\n");
}

TEST(Diagnostics, AreSortedWithinTheirFileAndBounded) {
  Diagnostics diagnostics;
  const auto first = MakeSource("1\n2\n");
  const auto second = std::make_shared<Source>("b.yaml", "1\n");
  diagnostics.Add({first, 2, 1}, PolicyError::kSyntax, "second");
  diagnostics.Add({second, 1, 1}, PolicyError::kSyntax, "third");
  diagnostics.Add({first, 1, 1}, PolicyError::kSyntax, "first");
  const std::string text = diagnostics.Render();
  EXPECT_LT(text.find("first"), text.find("second"));
  EXPECT_LT(text.find("second"), text.find("third"));
  for (int i = 0; i < 200; ++i) diagnostics.Add({first, 1, 1}, PolicyError::kSyntax, "more");
  EXPECT_EQ(diagnostics.Sorted().size(), Diagnostics::kMaxKept);
  EXPECT_NE(diagnostics.Render().find("and 103 more errors"), std::string::npos);
}

TEST(ClosestWord, FindsMisspellingsOnly) {
  const std::vector<std::string> words = {"mode", "priority", "selector", "rules", "arenas"};
  EXPECT_EQ(ClosestWord("mdoe", words), "mode");
  EXPECT_EQ(ClosestWord("Rules", words), "rules");
  EXPECT_EQ(ClosestWord("selektor", words), "selector");
  EXPECT_EQ(ClosestWord("colour", words), "");
  EXPECT_EQ(ClosestWord("", words), "");
}

TEST(FindBadCharacter, AcceptsTextAndFindsTheRest) {
  EXPECT_EQ(FindBadCharacter("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92\t\r\n"),
            absl::string_view::npos);
  EXPECT_EQ(FindBadCharacter(absl::string_view("ab\0c", 4)), 2u);
  for (const char* bad :
       {"x\x80", "x\xc0\xaf", "x\xe0\x80\xaf", "x\xed\xa0\x80", "x\xf4\x90\x80\x80",
        "x\xf8\x88\x80\x80", "x\xc3", "x\xe2\x82", "x\x1b"}) {
    EXPECT_EQ(FindBadCharacter(bad), 1u);
  }
}

}  // namespace
}  // namespace pagewarden
