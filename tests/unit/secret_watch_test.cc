// SPDX-License-Identifier: Apache-2.0
// The scheduled search on real processes that hold a text, and on files of all kinds.
#include "agent/secrets/secret_watch.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/secrets/secret_check.h"
#include "tests/unit/child.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

constexpr char kPolicy[] = "web";

class SecretWatchTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  std::shared_ptr<const PolicySet> Policies(const std::vector<std::string>& files,
                                            const std::string& more = "") {
    std::string text = absl::StrCat(
        "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: ", kPolicy,
        "}\nspec:\n  rules: [{match: {preset: openssl-private-keys}}]\n", more, "  secrets:\n");
    for (const std::string& file : files) absl::StrAppend(&text, "    - ", file, "\n");
    return std::make_shared<PolicySet>(LoadValid(text));
  }

  SecretReport Check(std::shared_ptr<const PolicySet> policies, const std::vector<pid_t>& pids) {
    Pacer pacer(1);
    const auto report = CheckSecrets(
        {std::move(policies), {{kPolicy, pids}}}, [](const std::string&, pid_t) { return true; },
        absl::Milliseconds(20), pacer);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value_or(SecretReport());
  }

  std::string Reason(const std::string& file) {
    const SecretReport report = Check(Policies({file}), {holder_.pid()});
    return report.errors.size() == 1 ? report.errors[0].reason : "";
  }

  // Made anew at each call, so that no other process and no literal holds any of it.
  static std::string RandomText() {
    unsigned char bytes[12];
    EXPECT_EQ(getrandom(bytes, sizeof(bytes), 0), static_cast<ssize_t>(sizeof(bytes)));
    std::string text = "~";
    for (const unsigned char byte : bytes) absl::StrAppend(&text, absl::Hex(byte, absl::kZeroPad2));
    return text;
  }

  bool HoldText() const {
    void* const page =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    memcpy(static_cast<char*>(page) + 512, text_.data(), text_.size());
    return true;
  }

  TempDirectory directory_;
  const std::string text_ = RandomText();
  Child holder_{[this] { return HoldText(); }};
};

TEST_F(SecretWatchTest, TellsWhereAnUnfencedCopyIs) {
  const std::string file = Write("password", text_ + "\n");
  const SecretReport report = Check(Policies({file}), {holder_.pid()});
  EXPECT_TRUE(report.errors.empty());
  ASSERT_EQ(report.copies.size(), 1u);
  const SecretCopies& found = report.copies[0];
  EXPECT_EQ(found.policy, kPolicy);
  EXPECT_EQ(found.file, file);
  EXPECT_EQ(found.pid, holder_.pid());
  EXPECT_EQ(found.fenced, 0u);
  EXPECT_GE(found.unfenced, 1u);
  EXPECT_FALSE(found.cgroup.empty());
  ASSERT_FALSE(found.where.empty());
  EXPECT_TRUE(absl::StartsWith(found.where[0], "text in ")) << found.where[0];
  for (const std::string& where : found.where)
    EXPECT_FALSE(absl::StrContains(where, text_.substr(4, 6)));
  EXPECT_GE(report.checked, absl::Now() - absl::Minutes(1));
}

TEST_F(SecretWatchTest, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(Reason(directory_.path() + "/none"), "missing");
  EXPECT_EQ(Reason(directory_.path()), "untrusted");
  EXPECT_EQ(Reason(Write("writable", text_, 0620)), "untrusted");
  EXPECT_EQ(Reason(Write("empty", "")), "not_a_secret");
  EXPECT_EQ(Reason(Write("lines", "a first line\nand a second\n")), "not_a_secret");
  EXPECT_EQ(Reason(Write("broken.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n")), "not_a_secret");
  EXPECT_EQ(Reason(Write("other", RandomText())), "not_found");
}

TEST_F(SecretWatchTest, AFileOfAStrangerIsNotTrusted) {
  const std::string file = Write("foreign", text_);
  if (chown(file.c_str(), 12345, 12345) != 0) GTEST_SKIP() << "needs CAP_CHOWN";
  EXPECT_EQ(Reason(file), "untrusted");
}

// Looked up below the root of the processes, a link cannot lead out of it.
TEST_F(SecretWatchTest, LinksAreFollowed) {
  Write("target", text_);
  const std::string link = directory_.path() + "/link";
  ASSERT_EQ(symlink("target", link.c_str()), 0);
  EXPECT_EQ(Reason(link), "");
  EXPECT_EQ(Check(Policies({link}), {holder_.pid()}).copies.size(), 1u);
}

TEST_F(SecretWatchTest, OneSecretInTwoFilesIsFoundForBoth) {
  const std::string first = Write("first", text_);
  const std::string second = Write("second", text_ + "\n");
  EXPECT_TRUE(Check(Policies({first, second}), {holder_.pid()}).errors.empty());
}

TEST_F(SecretWatchTest, ItsOwnProcessAndWhatIsGoneArePassedOver) {
  pid_t gone = 0;
  {
    const Child child([] { return true; });
    gone = child.pid();
  }
  const SecretReport report = Check(Policies({Write("password", text_)}), {getpid(), gone});
  EXPECT_TRUE(report.copies.empty());
  EXPECT_TRUE(report.errors.empty());
}

// A copy that is gone at the second look, such as one on a stack, is not told.
TEST_F(SecretWatchTest, WhatDoesNotLastIsNotUnfenced) {
  auto* const shared = static_cast<std::atomic<char>*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(shared, MAP_FAILED);
  char* const copy = reinterpret_cast<char*>(shared) + 4096;
  const Child child([] { return true; });
  const std::string text = RandomText();
  const std::string file = Write("password", text);
  memcpy(copy, text.data(), text.size());
  Pacer pacer(1);
  std::thread wiper([copy] {
    absl::SleepFor(absl::Milliseconds(700));
    memset(copy, 0, 64);
  });
  const auto report = CheckSecrets(
      {Policies({file}), {{kPolicy, {child.pid()}}}},
      [](const std::string&, pid_t) { return true; }, absl::Seconds(2), pacer);
  wiper.join();
  munmap(shared, 8192);
  ASSERT_TRUE(report.ok());
  for (const SecretCopies& found : report->copies) EXPECT_EQ(found.unfenced, 0u);
  EXPECT_TRUE(report->errors.empty()) << report->errors[0].text;  // it was found, once
}

TEST_F(SecretWatchTest, ChecksSoonAndForgetsWhatIsNoTargetAnyMore) {
  SecretWatch watch({absl::Hours(1), absl::Milliseconds(10), absl::Milliseconds(10), 1});
  const auto policies = Policies({Write("password", text_)});
  watch.SetTargets(policies, {{kPolicy, {holder_.pid()}}});
  const absl::Time limit = absl::Now() + absl::Seconds(60);
  while (watch.Latest().copies.empty() && absl::Now() < limit)
    absl::SleepFor(absl::Milliseconds(5));
  ASSERT_EQ(watch.Latest().copies.size(), 1u);
  watch.SetTargets(policies, {{kPolicy, {getpid()}}});
  EXPECT_TRUE(watch.Latest().copies.empty());
  EXPECT_FALSE(watch.Latest().nothing_to_check);
  watch.SetTargets(policies, {});
  EXPECT_TRUE(watch.Latest().nothing_to_check);
  EXPECT_NE(watch.Latest().checked, absl::InfinitePast());
}

TEST_F(SecretWatchTest, EndsInTheMiddleOfACheck) {
  const absl::Time start = absl::Now();
  {
    SecretWatch watch({absl::Hours(1), absl::ZeroDuration(), absl::Hours(1), 1});
    watch.SetTargets(Policies({Write("password", text_)}), {{kPolicy, {holder_.pid()}}});
    absl::SleepFor(absl::Milliseconds(500));  // in the hour before the second look, most likely
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

}  // namespace
}  // namespace pagewarden
