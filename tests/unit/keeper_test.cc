// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "agent/keeper/policy_keeper.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::Time Noon(int days) {
  const absl::CivilDay today = absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  return absl::FromCivil(absl::CivilHour(today + days) + 12, absl::UTCTimeZone());
}

std::string Day(absl::Time time) { return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone()); }

std::string PolicyText(const std::string& more, const std::string& mode = "Enforce") {
  return absl::StrCat(R"(apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: a}
spec:
  mode: )",
                      mode, R"(
  selector: {matchBinaries: [/usr/bin/a]}
  rules: [{match: {all: true}}]
)",
                      more);
}

class Keeper : public ::testing::Test {
 protected:
  void SetUp() override {
    policies_ = absl::StrCat(directory_.path(), "/policy.d");
    runtime_ = absl::StrCat(directory_.path(), "/run");
    std::filesystem::create_directory(policies_);
    options_.directories = {policies_};
    options_.runtime_dir = runtime_;
    options_.shim_path = "/usr/lib/libpagewarden.so";
    options_.shipped = SOURCE_ROOT "/policies";
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(absl::StrCat(policies_, "/", name)) << text;
  }

  PolicyKeeper Open() {
    auto keeper = PolicyKeeper::Open(options_);
    EXPECT_TRUE(keeper.ok()) << keeper.status();
    return *std::move(keeper);
  }

  TempDirectory directory_;
  std::string policies_;
  std::string runtime_;
  KeeperOptions options_;
};

TEST_F(Keeper, AnImageIsPublishedAndOnlyAnotherMeaningIsAnotherGeneration) {
  Write("a.yaml", PolicyText(""));
  PolicyKeeper keeper = Open();
  ASSERT_TRUE(keeper.status().last_reload_ok) << keeper.status().errors[0];
  const uint32_t first = keeper.status().generation;
  EXPECT_GT(first, 0u);
  keeper.Reload(absl::Now());
  EXPECT_EQ(keeper.status().generation, first);
  const std::string hash = keeper.status().hash;
  Write("a.yaml", absl::StrCat("# why\n", PolicyText("  priority: 0\n")));
  keeper.Reload(absl::Now());
  EXPECT_EQ(keeper.status().hash, hash);
  EXPECT_EQ(keeper.status().generation, first);
  Write("a.yaml", PolicyText("", "Audit"));
  keeper.Reload(absl::Now());
  EXPECT_NE(keeper.status().hash, hash);
  EXPECT_GT(keeper.status().generation, first);
}

TEST_F(Keeper, AnExceptionEndsAtMidnight) {
  Write("a.yaml", PolicyText(absl::StrCat(
                      "  exceptions: [{matchBinaries: [/usr/bin/a], reason: t, expires: '",
                      Day(Noon(1)), "'}]\n")));
  PolicyKeeper keeper = Open();
  keeper.Reload(Noon(1));
  ASSERT_THAT(keeper.status().errors, IsEmpty());
  const uint32_t excepted = keeper.status().generation;
  EXPECT_FALSE(keeper.Poll(Noon(1) + absl::Hours(11)));
  EXPECT_EQ(keeper.status().generation, excepted);
  EXPECT_LE(keeper.Deadline(), Noon(2) - absl::Hours(12));
  EXPECT_TRUE(keeper.Poll(Noon(2) - absl::Hours(12)));
  EXPECT_GT(keeper.status().generation, excepted);
}

TEST_F(Keeper, WhatAnotherCommandPublishesIsPutRight) {
  Write("a.yaml", PolicyText(""));
  options_.max_mode = abi::Mode::kAudit;
  PolicyKeeper keeper = Open();
  auto runtime = OwnedDirectory::Open(runtime_);
  ASSERT_TRUE(runtime.ok());
  auto other = LiveImages::Open(*std::move(runtime), options_.shim_path);
  ASSERT_TRUE(other.ok());
  const auto published = other->Publish("", {});
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_GT(published->generation, keeper.status().generation);
  keeper.Poll(absl::Now() + absl::Seconds(3));
  EXPECT_GT(keeper.status().generation, published->generation);
  EXPECT_EQ(other->GenerationOf(""), keeper.status().generation);
  keeper.Poll(absl::Now() + absl::Seconds(6));
  EXPECT_EQ(other->GenerationOf(""), keeper.status().generation);
}

TEST_F(Keeper, ABrokenFileLeavesAllAsItWas) {
  Write("a.yaml", PolicyText(""));
  PolicyKeeper keeper = Open();
  const PolicyStatus before = keeper.status();
  Write("b.yaml", "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicie\n");
  Write("a.yaml", PolicyText("", "Audit"));
  keeper.Reload(absl::Now());
  EXPECT_FALSE(keeper.status().last_reload_ok);
  EXPECT_EQ(keeper.status().set, before.set);
  EXPECT_EQ(keeper.status().generation, before.generation);
  EXPECT_EQ(keeper.status().last_success, before.last_success);
  ASSERT_FALSE(keeper.status().errors.empty());
  EXPECT_THAT(keeper.status().errors[0], HasSubstr("/policy.d/b.yaml:2:7: "));
}

TEST_F(Keeper, AFileThatOthersMayWriteIsRefused) {
  Write("a.yaml", PolicyText(""));
  chmod(absl::StrCat(policies_, "/a.yaml").c_str(), 0666);
  PolicyKeeper keeper = Open();
  EXPECT_FALSE(keeper.status().last_reload_ok);
  EXPECT_THAT(keeper.status().errors, ElementsAre(HasSubstr("lets others write to it")));
  EXPECT_THAT(keeper.status().set->policies, IsEmpty());
}

TEST_F(Keeper, WhatALinkLeadsToIsLookedAtWithoutAHint) {
  const std::string elsewhere = absl::StrCat(directory_.path(), "/elsewhere.yaml");
  std::ofstream(elsewhere) << PolicyText("");
  std::filesystem::create_symlink(elsewhere, absl::StrCat(policies_, "/a.yaml"));
  PolicyKeeper keeper = Open();
  EXPECT_FALSE(keeper.Poll(absl::Now() + absl::Seconds(6)));
  std::ofstream(elsewhere) << PolicyText("", "Audit");
  EXPECT_TRUE(keeper.Poll(absl::Now() + absl::Seconds(12)));
  EXPECT_EQ(keeper.status().loaded[0].mode, "Audit");
}

TEST_F(Keeper, ABurstOfChangesIsOneReload) {
  PolicyKeeper keeper = Open();
  int reloads = 0;
  const absl::Time start = absl::Now();
  for (int i = 0; i < 20; ++i) {
    Write(absl::StrFormat("%d.yaml", i), "");
    reloads += keeper.Poll(start + absl::Milliseconds(10 * i));
  }
  EXPECT_EQ(reloads, 0);
  EXPECT_TRUE(keeper.Poll(start + absl::Milliseconds(310)));
  EXPECT_FALSE(keeper.Poll(start + absl::Milliseconds(450)));
}

}  // namespace
}  // namespace pagewarden
