// SPDX-License-Identifier: Apache-2.0
// The scheduled search on real processes that hold a text, and on files of all kinds.
#include "agent/secrets/secret_watch.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
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

// In this process, which may hold what the test wrote.
GroupChecker HereChecker() {
  return [](const GroupRequest& request, const MayLook& may_look) {
    Pacer pacer(request.duty);
    return CheckGroup(request, may_look, pacer);
  };
}

// Each check by the program itself, as the agent has it done.
SecretWatchOptions QuickWatch() {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  SecretWatchOptions options;
  options.every = absl::Hours(1);
  options.settle = absl::Milliseconds(10);
  options.confirm_after = absl::Milliseconds(10);
  options.duty = 1;
  options.between_new = absl::Milliseconds(10);
  options.runner.program =
      (self.parent_path() / "../../agent/pagewarden").lexically_normal().string();
  return options;
}

// Not a process that the watch could have started.
class Grandchild {
 public:
  explicit Grandchild(const std::function<bool()>& act)
      : pid_(static_cast<pid_t*>(mmap(nullptr, sizeof(pid_t), PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
        parent_([this, &act] {
          static const Child* const child = new Child(act);
          *pid_ = child->pid();
          return child->ok();
        }) {}
  Grandchild(const Grandchild&) = delete;
  Grandchild& operator=(const Grandchild&) = delete;
  ~Grandchild() { munmap(pid_, sizeof(pid_t)); }

  pid_t pid() const { return *pid_; }

 private:
  pid_t* const pid_;
  const Child parent_;
};

bool WaitUntil(const std::function<bool()>& condition) {
  const absl::Time limit = absl::Now() + absl::Seconds(60);
  while (!condition() && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(5));
  return condition();
}

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
    const auto report = CheckSecrets(
        {std::move(policies), {{kPolicy, pids}}}, [](const std::string&, pid_t) { return true; },
        {absl::Milliseconds(20), 1}, HereChecker());
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value_or(SecretReport());
  }

  std::string Reason(const std::string& file) {
    const SecretReport report = Check(Policies({file}), {holder_.pid()});
    return report.errors.size() == 1 ? report.errors[0].reason : "";
  }

  GroupRequest Request(const std::string& file) const {
    GroupRequest request;
    request.policy = kPolicy;
    request.files = {file};
    request.pids = {holder_.pid()};
    return request;
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
  std::thread wiper([copy] {
    absl::SleepFor(absl::Milliseconds(700));
    memset(copy, 0, 64);
  });
  const auto report = CheckSecrets(
      {Policies({file}), {{kPolicy, {child.pid()}}}},
      [](const std::string&, pid_t) { return true; }, {absl::Seconds(2), 1}, HereChecker());
  wiper.join();
  munmap(shared, 8192);
  ASSERT_TRUE(report.ok());
  for (const SecretCopies& found : report->copies) EXPECT_EQ(found.unfenced, 0u);
  EXPECT_TRUE(report->errors.empty()) << report->errors[0].text;  // it was found, once
}

TEST_F(SecretWatchTest, AnEncryptedKeyIsSaidToBeOne) {
  const std::string file = directory_.path() + "/encrypted.pem";
  const std::string command =
      "openssl genpkey -algorithm ED25519 -aes-256-cbc -pass pass:word -out " + file + " 2>&1";
  ASSERT_EQ(system(command.c_str()), 0);
  const SecretReport report = Check(Policies({file}), {holder_.pid()});
  ASSERT_EQ(report.errors.size(), 1u);
  EXPECT_EQ(report.errors[0].reason, "encrypted");
  EXPECT_TRUE(absl::StrContains(report.errors[0].text, "passphrase")) << report.errors[0].text;
}

// Opening a pipe for reading would wait for a writer; looked at first, it is never opened.
TEST_F(SecretWatchTest, APipeIsNotOpened) {
  const std::string pipe = directory_.path() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(Reason(pipe), "untrusted");
}

TEST_F(SecretWatchTest, ChecksSoonAndForgetsWhatIsNoTargetAnyMore) {
  SecretWatch watch(QuickWatch());
  const auto policies = Policies({Write("password", text_)});
  watch.SetTargets(policies, {{kPolicy, {holder_.pid()}}});
  ASSERT_TRUE(WaitUntil([&watch] { return watch.Latest().copies.size() == 1; }));
  EXPECT_EQ(watch.Latest().copies[0].pid, holder_.pid());
  watch.SetTargets(policies, {{kPolicy, {getpid()}}});
  EXPECT_TRUE(watch.Latest().copies.empty());
  EXPECT_FALSE(watch.Latest().nothing_to_check);
  watch.SetTargets(policies, {});
  EXPECT_TRUE(watch.Latest().nothing_to_check);
  EXPECT_NE(watch.Latest().checked, absl::InfinitePast());
}

// The next complete check is an hour away.
TEST_F(SecretWatchTest, ANewProcessIsLookedAtSoon) {
  SecretWatch watch(QuickWatch());
  const auto policies = Policies({Write("password", text_)});
  watch.SetTargets(policies, {{kPolicy, {holder_.pid()}}});
  ASSERT_TRUE(WaitUntil([&watch] { return watch.Latest().copies.size() == 1; }));
  const absl::Time complete = watch.Latest().checked;
  const Grandchild late([this] { return HoldText(); });
  ASSERT_GT(late.pid(), 0);
  watch.SetTargets(policies, {{kPolicy, {holder_.pid(), late.pid()}}});
  ASSERT_TRUE(WaitUntil([&watch] { return watch.Latest().copies.size() == 2; }));
  EXPECT_EQ(watch.Latest().copies[1].pid, late.pid());
  EXPECT_GE(watch.Latest().copies[1].unfenced, 1u);
  EXPECT_EQ(watch.Latest().checked, complete);
}

TEST_F(SecretWatchTest, EndsInTheMiddleOfACheck) {
  SecretWatchOptions options = QuickWatch();
  options.confirm_after = absl::Hours(1);
  const absl::Time start = absl::Now();
  {
    SecretWatch watch(options);
    watch.SetTargets(Policies({Write("password", text_)}), {{kPolicy, {holder_.pid()}}});
    absl::SleepFor(absl::Milliseconds(500));  // in the hour before the second look, most likely
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST_F(SecretWatchTest, ACheckThatSaysNothingIsEnded) {
  CheckRunnerOptions options;
  options.program = "/bin/sh";  // no such script as "secret-check"
  CheckRunner runner(options, [] { return true; });
  const GroupRequest request = Request("/none");
  EXPECT_EQ(runner.Run(request, [](pid_t) { return true; }).status().code(),
            absl::StatusCode::kInternal);
  options = QuickWatch().runner;
  options.silence = absl::ZeroDuration();
  CheckRunner impatient(options, [] { return true; });
  EXPECT_TRUE(
      absl::IsDeadlineExceeded(impatient.Run(request, [](pid_t) { return true; }).status()));
}

// Without locked memory nothing is read.
TEST_F(SecretWatchTest, WithoutLockedMemoryThereIsNoCheck) {
  const char* const may_lock_all = geteuid() == 0 ? "setpriv --bounding-set=-ipc_lock " : "";
  const std::string script = Write("unlocked",
                                   absl::StrCat("#!/bin/sh\nulimit -l 64\nexec ", may_lock_all,
                                                QuickWatch().runner.program, " \"$@\"\n"),
                                   0700);
  CheckRunnerOptions options;
  options.program = script;
  CheckRunner runner(options, [] { return true; });
  const auto result = runner.Run(Request(Write("password", text_)), [](pid_t) { return true; });
  EXPECT_TRUE(absl::IsFailedPrecondition(result.status())) << result.status();
  EXPECT_TRUE(absl::StrContains(result.status().message(), "RLIMIT_MEMLOCK"));
}

}  // namespace
}  // namespace pagewarden
