// SPDX-License-Identifier: Apache-2.0
// Wrong input to `pagewarden verify`: one clear line each, and the right exit code.
#include "tests/tools/verify_command.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

class VerifyErrorsTest : public VerifyCommandTest {
 protected:
  Outcome VerifySecret(const std::vector<std::string>& secret) {
    std::vector<std::string> words = {PAGEWARDEN, "verify", "--pid", absl::StrCat(getpid())};
    words.insert(words.end(), secret.begin(), secret.end());
    return Run(words);
  }

  void ExpectUsageError(const std::vector<std::string>& secret, const std::string& line) {
    const Outcome outcome = VerifySecret(secret);
    EXPECT_EQ(outcome.exit_code, kExitUsage) << line;
    EXPECT_EQ(outcome.err, line);
    EXPECT_EQ(outcome.out, "");
  }
};

TEST_F(VerifyErrorsTest, FilesThatAreMissing) {
  const std::string missing = directory_.path() + "/missing";
  const std::string line = "pagewarden: " + missing + ": No such file or directory\n";
  ExpectUsageError({"--secret", missing}, line);
  ExpectUsageError({"--secret-text-file", missing}, line);
  ExpectUsageError({"--secret-hex-file", missing}, line);
  ExpectUsageError({"--secret", key_file_, "--passphrase-file", missing}, line);
}

TEST_F(VerifyErrorsTest, PassphraseThatIsMissingOrWrong) {
  const std::string key = directory_.Write("encrypted.pem", Pkcs8Pem(key_, EVP_aes_256_cbc()));
  const std::string right = directory_.Write("right", "secret\n");
  const std::string wrong = directory_.Write("wrong", "terces\n");
  ExpectUsageError({"--secret", key}, "pagewarden: " + key +
                                          ": the private key is encrypted; give its passphrase "
                                          "with --passphrase-file\n");
  ExpectUsageError(
      {"--secret", key, "--passphrase-file", wrong},
      "pagewarden: " + key + ": the passphrase is wrong: it does not decrypt the private key\n");
  const Child child({PW_PLANT, "heap", p_file_});
  const Outcome outcome = Run({PAGEWARDEN, "verify", "--json", "--pid", child.pid(), "--secret",
                               key, "--passphrase-file", right});
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  EXPECT_THAT(Rows(outcome.Json()),
              ElementsAre(Row("rsa.p:bytes-be", "[heap]", 128, false, true, false)));
}

TEST_F(VerifyErrorsTest, FilesThatHoldNoSecret) {
  const std::string junk = directory_.Write("junk", "neither key nor digits");
  const std::string certificate = directory_.Write("public.pem", PublicPem(key_));
  ExpectUsageError({"--secret", junk},
                   "pagewarden: " + junk + ": not a private key in a form that OpenSSL can read\n");
  ExpectUsageError({"--secret", certificate},
                   "pagewarden: " + certificate + ": contains no private key\n");
  ExpectUsageError({"--secret-hex-file", junk}, "pagewarden: " + junk + ": not hexadecimal\n");
}

TEST_F(VerifyErrorsTest, ProcessThatIsGoneBefore) {
  const Outcome outcome = Verify({"--pid", "4194303"});
  EXPECT_EQ(outcome.exit_code, kExitPartialData);
  EXPECT_EQ(outcome.err, "pagewarden: process 4194303 : no such process\n");
}

TEST_F(VerifyErrorsTest, ProcessThatGoesMeanwhile) {
  const Child child({PW_PLANT, "bulk", p_file_});
  const pid_t verify = Start({PAGEWARDEN, "verify", "--secret", key_file_, "--pid", child.pid()});
  while (!child.IsTraced()) usleep(100);
  kill(std::stoi(child.pid()), SIGKILL);
  const Outcome outcome = Await(verify);
  EXPECT_EQ(outcome.exit_code, kExitPartialData);
  EXPECT_EQ(outcome.err, "pagewarden: process " + child.pid() +
                             " (pw-plant) : exited before its memory was searched\n");
}

class VerifyAsNobodyTest : public VerifyErrorsTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "not root: cannot become another user";
    for (const char* program : {PAGEWARDEN, PW_PLANT}) {
      std::filesystem::copy_file(program, Copied(program));
    }
    ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  }

  // Where every user can execute it.
  std::string Copied(const std::string& program) const {
    return directory_.path() + program.substr(program.rfind('/'));
  }

  static std::vector<std::string> AsNobody(std::vector<std::string> words) {
    words.insert(words.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    return words;
  }
};

TEST_F(VerifyAsNobodyTest, ProcessOfAnotherUser) {
  const Child child({PW_PLANT, "heap", p_file_});
  const Outcome outcome =
      Run(AsNobody({Copied(PAGEWARDEN), "verify", "--secret", key_file_, "--pid", child.pid()}));
  EXPECT_EQ(outcome.exit_code, kExitPartialData);
  EXPECT_THAT(outcome.err, MatchesRegex("pagewarden: process [0-9]+ \\(pw-plant\\) : "
                                        "/proc/[0-9]+/smaps: Permission denied: needs the same "
                                        "user or CAP_SYS_PTRACE; [^\n]*\n"));
  EXPECT_EQ(outcome.out, "no copy found in 0 processes\n");
}

TEST_F(VerifyAsNobodyTest, OwnProcess) {
  const Child child(AsNobody({Copied(PW_PLANT), "heap", p_file_, "thread", d_file_}));
  const Outcome outcome = Run(AsNobody(
      {Copied(PAGEWARDEN), "verify", "--json", "--secret", key_file_, "--pid", child.pid()}));
  EXPECT_EQ(outcome.exit_code, kExitFindings);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.Json().at("summary").at("kinds"),
              nlohmann::json::parse(R"({"Heap": 1, "ThreadStack": 1})"));
  EXPECT_GT(outcome.Json().at("stoppedMilliseconds"), 0);
}

}  // namespace
}  // namespace pagewarden
