// SPDX-License-Identifier: Apache-2.0
// Wrong policies and exactly what is said about them. To renew the expectations:
// PAGEWARDEN_UPDATE_GOLDENS=1 build/tests/unit/policy_goldens, then read the diff.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> CaseNames() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(SOURCE_ROOT "/tests/cases/policy")) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Findings(const std::string& name, size_t* count = nullptr) {
  const std::string path = SOURCE_ROOT "/tests/cases/policy/" + name + ".yaml";
  Diagnostics diagnostics;
  LoadWithPresets(name + ".yaml", ReadFile(path), diagnostics);
  if (count != nullptr) *count = diagnostics.count();
  return diagnostics.Render();
}

class WrongPolicy : public ::testing::TestWithParam<std::string> {};

TEST_P(WrongPolicy, IsRefusedInTheseWords) {
  const std::string findings = Findings(GetParam());
  EXPECT_NE(findings, "");
  const std::string golden = SOURCE_ROOT "/tests/cases/policy/" + GetParam() + ".expected";
  if (getenv("PAGEWARDEN_UPDATE_GOLDENS") != nullptr) std::ofstream(golden) << findings;
  EXPECT_EQ(findings, ReadFile(golden));
}

INSTANTIATE_TEST_SUITE_P(Corpus, WrongPolicy, ::testing::ValuesIn(CaseNames()),
                         [](const auto& info) { return info.param; });

TEST(WrongPolicies, AllErrorsOfAFileAreFoundInOneRun) {
  size_t count = 0;
  const std::string findings = Findings("four_errors", &count);
  EXPECT_EQ(count, 4u);
  for (const char* code : {"PW-P010", "PW-P011", "PW-P012", "PW-P015"}) {
    EXPECT_NE(findings.find(code), std::string::npos) << code;
  }
  EXPECT_NE(findings.find("did you mean \"mode\"?"), std::string::npos);
  EXPECT_NE(findings.find("write 8Mi (8388608) or 8000000"), std::string::npos);
}

}  // namespace
}  // namespace pagewarden
