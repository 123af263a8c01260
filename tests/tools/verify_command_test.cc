// SPDX-License-Identifier: Apache-2.0
// `pagewarden verify` as a program, on real processes.
#include "tests/tools/verify_command.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(VerifyCommandTest, FindsExactlyWhatWasPlanted) {
  const Child child(
      {PW_PLANT, "heap", p_limbs_file_, "stack", d_file_, "locked", p_file_, "dumpable", d_file_});
  const Outcome outcome = VerifyPid(child);
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  EXPECT_THAT(Rows(outcome.Json()),
              UnorderedElementsAre(Row("rsa.p:limbs-le", "[heap]", 128, false, true, false),
                                   Row("rsa.d:bytes-be", "[stack]", d_.size(), false, true, false),
                                   Row("rsa.p:bytes-be", "anon", 128, true, false, false),
                                   Row("rsa.d:bytes-be", "anon", d_.size(), true, true, false)));
  EXPECT_EQ(outcome.Json().at("summary"),
            nlohmann::json::parse(R"({"copies": 4, "locked": 2, "fenced": 0, "unlocked": 2,
                "lockedOutsideArenas": 2, "stale": 0,
                "kinds": {"Heap": 1, "Stack": 1, "Anonymous": 2}})"));
  EXPECT_EQ(outcome.Json().at("processes").at(0).at("comm"), "pw-plant");
}

TEST_F(VerifyCommandTest, FindsDamagedHiddenAndSplitCopies) {
  const Child child({PW_PLANT, "partial", p_file_, "hidden", p_file_, "border", p_file_});
  const Outcome outcome = VerifyPid(child);
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  EXPECT_THAT(Rows(outcome.Json()),
              UnorderedElementsAre(Row("rsa.p:bytes-be", "[heap]", 120, false, true, false),
                                   Row("rsa.p:bytes-be", "anon", 128, false, true, false),
                                   Row("rsa.p:bytes-be", "anon", 128, false, true, false)));
}

bool HasGuardRegions() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool has = madvise(page, 4096, 102) == 0;  // MADV_GUARD_INSTALL
  munmap(page, 4096);
  return has;
}

// A fence consists of such pages: they hide nothing, and are no missing data.
TEST_F(VerifyCommandTest, PagesThatHoldNothingAreNotMissed) {
  if (!HasGuardRegions()) GTEST_SKIP() << "needs MADV_GUARD_INSTALL (Linux 6.13)";
  const Child child({PW_PLANT, "guarded", p_file_, "past-end", d_file_});
  const Outcome outcome = VerifyPid(child);
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(Rows(outcome.Json()),
              UnorderedElementsAre(
                  Row("rsa.p:bytes-be", "anon", 128, false, true, false),
                  Row("rsa.d:bytes-be", "/memfd:short (deleted)", d_.size(), false, true, false)));
}

TEST_F(VerifyCommandTest, UnreadableMappingIsNamed) {
  const int secret_memory = static_cast<int>(syscall(SYS_memfd_secret, 0));
  if (secret_memory < 0) GTEST_SKIP() << "needs memfd_secret: " << strerror(errno);
  close(secret_memory);
  const Child child({PW_PLANT, "heap", p_file_, "secretmem", d_file_});
  const Outcome outcome = VerifyPid(child);
  EXPECT_EQ(outcome.exit_code, kExitPartialData);
  EXPECT_EQ(Rows(outcome.Json()).size(), 1u);
  EXPECT_THAT(outcome.err, HasSubstr(" (pw-plant) : 1 of 2 pages of /secretmem"));
}

TEST_F(VerifyCommandTest, FindsTextAndPemText) {
  const std::string password = directory_.Write("password", "correct-horse\n");
  const Child child({PW_PLANT, "heap", key_file_, "stack", password});
  const Outcome outcome = Verify({"--secret-text-file", password, "--json", "--pid", child.pid()});
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  const auto rows = Rows(outcome.Json());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(std::get<0>(rows[0]), "pem-text");
  EXPECT_EQ(rows[1], Row("text", "[stack]", 13, false, true, false));
}

TEST_F(VerifyCommandTest, NoCopyHasAnExitCodeOfItsOwn) {
  const std::string decoy = directory_.Write("decoy", Number(key_, OSSL_PKEY_PARAM_RSA_N));
  const Child child({PW_PLANT, "heap", decoy, "locked", decoy});
  const Outcome outcome = Verify({"--pid", child.pid()});
  EXPECT_EQ(outcome.exit_code, kExitNoneFound);
  EXPECT_THAT(outcome.out, HasSubstr("no copy found in 1 process; stopped for "));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(VerifyCommandTest, ChildrenAreSearchedWhenAskedFor) {
  const Child shell(
      {"sh", "-c", absl::StrCat(PW_PLANT, " heap ", p_file_, " & trap 'kill $!' EXIT; wait")});
  EXPECT_EQ(VerifyPid(shell).exit_code, kExitNoneFound);
  const Outcome outcome = Verify({"--json", "--children", "--pid", shell.pid()});
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  ASSERT_EQ(outcome.Json().at("processes").size(), 2u);
  EXPECT_THAT(Rows(outcome.Json()),
              ElementsAre(Row("rsa.p:bytes-be", "[heap]", 128, false, true, false)));
  kill(outcome.Json().at("copies").at(0).at("pid").get<pid_t>(), SIGKILL);
}

TEST_F(VerifyCommandTest, UnreadableProcessIsNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "not root: cannot become a user who may not read";
  const Child child({PW_PLANT, "heap", p_file_});
  const std::string program = directory_.path() + "/pagewarden";
  std::filesystem::copy_file(PAGEWARDEN, program);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  const Outcome outcome =
      Run({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "verify",
           "--secret", key_file_, "--pid", child.pid(), "--json"});
  EXPECT_EQ(outcome.exit_code, kExitPartialData);
  EXPECT_THAT(outcome.err,
              HasSubstr(absl::StrCat("pagewarden: process ", child.pid(), " (pw-plant) : ")));
  EXPECT_THAT(outcome.err, HasSubstr("ermission denied"));
  EXPECT_THAT(outcome.Json().at("processes"), IsEmpty());
}

TEST_F(VerifyCommandTest, MissingTargetsAreNamed) {
  const Outcome process = Verify({"--pid", "4194303"});
  EXPECT_EQ(process.exit_code, kExitPartialData);
  EXPECT_THAT(process.err, HasSubstr("pagewarden: process 4194303 : "));
  const Outcome cgroup = Verify({"--cgroup", "no/such/cgroup"});
  EXPECT_EQ(cgroup.exit_code, kExitPartialData);
  EXPECT_THAT(cgroup.err, HasSubstr("pagewarden: cgroup no/such/cgroup : "));
  EXPECT_EQ(Verify({"--", "/no/such/command"}).exit_code, kExitNotFound);
  EXPECT_EQ(Verify({"--", "/etc/passwd"}).exit_code, kExitCannotExecute);
}

TEST_F(VerifyCommandTest, WrongUsage) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"--pid", "0"},
      {"--pid", "x"},
      {"--pid", "1", "--", "true"},
      {"--children", "--", "true"},
      {"--pid", "1", "--json", "--plain"},
      {"--pid", "1", "--settle", "-1"},
      {"--pid", "1", "--secret", "/no/such/file"},
      {"--pid", "1", "--secret-text-file", "/dev/null"}};
  for (const auto& words : wrong) {
    const Outcome outcome = Verify(words);
    EXPECT_EQ(outcome.exit_code, kExitUsage) << absl::StrJoin(words, " ");
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err, "");
  }
  EXPECT_EQ(Run({PAGEWARDEN, "verify", "--pid", "1"}).exit_code, kExitUsage);
}

// No eight bytes of the key, in hexadecimal or base64, and none of its PEM text.
TEST_F(VerifyCommandTest, SecretNeverShows) {
  const Child child({PW_PLANT, "heap", p_limbs_file_, "stack", key_file_, "locked", d_file_});
  const std::string other = directory_.Write("other", "not a key " + p_);
  std::string shown = Verify({"--pid", "4194303", "--secret", other}).err;
  for (const char* format : {"--json", "--plain"}) {
    const Outcome outcome = Verify({format, "--pid", child.pid()});
    ASSERT_EQ(outcome.exit_code, kExitFindings);
    shown += outcome.out + outcome.err;
  }
  shown += Verify({"--pid", child.pid()}).out;
  std::string lower = shown;
  std::transform(lower.begin(), lower.end(), lower.begin(), tolower);
  for (const std::string& number : {p_, d_, Limbs(p_), Limbs(d_)}) {
    for (size_t at = 0; at + 8 <= number.size(); ++at) {
      const std::string bytes = number.substr(at, 8);
      ASSERT_EQ(lower.find(absl::BytesToHexString(bytes)), std::string::npos);
      ASSERT_EQ(shown.find(absl::Base64Escape(bytes).substr(0, 10)), std::string::npos);
      ASSERT_EQ(shown.find(bytes), std::string::npos);
    }
  }
  const std::string pem = Pkcs8Pem(key_);
  const std::string body = pem.substr(28, pem.size() - 28 - 27);  // between BEGIN and END
  for (size_t at = 0; at + 10 <= body.size(); ++at) {
    ASSERT_EQ(shown.find(body.substr(at, 10)), std::string::npos);
  }
}

// The search itself must not leave what it looks for in memory that is swapped
// or dumped: another one finds it in locked pages only.
TEST_F(VerifyCommandTest, SecretIsLockedInVerifyItself) {
  if (geteuid() != 0) GTEST_SKIP() << "not root: verify makes itself unreadable";
  const std::string text = directory_.Write("text", "correct-horse-battery");
  const std::string encrypted = directory_.Write("encrypted", Pkcs8Pem(key_, EVP_aes_256_cbc()));
  const std::string passphrase = directory_.Write("passphrase", "secret");
  const Child child({PW_PLANT, "bulk", p_file_});
  const pid_t first =
      Start({PAGEWARDEN, "verify", "--secret", key_file_, "--secret", encrypted,
             "--passphrase-file", passphrase, "--secret-text-file", text, "--pid", child.pid()});
  while (!child.IsTraced()) usleep(100);
  kill(first, SIGSTOP);
  const Outcome outcome = Verify(
      {"--secret-text-file", text, "--json", "--accept=locked", "--pid", absl::StrCat(first)});
  kill(first, SIGCONT);
  Await(first);
  EXPECT_EQ(outcome.exit_code, kExitClean) << outcome.err << outcome.out;
  EXPECT_GT(outcome.Json().at("summary").at("copies"), 20);
}

TEST_F(VerifyCommandTest, StartsSearchesAndEndsADaemon) {
  const std::string script =
      absl::StrCat("echo noise; setsid ", PW_PLANT, " heap ", p_file_, " & exit 0");
  const Outcome outcome = Verify({"--json", "--settle", "0.5", "--", "sh", "-c", script});
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  ASSERT_THAT(Rows(outcome.Json()),
              ElementsAre(Row("rsa.p:bytes-be", "[heap]", 128, false, true, false)));
  const auto pid = outcome.Json().at("copies").at(0).at("pid").get<pid_t>();
  EXPECT_NE(kill(pid, 0), 0) << "the daemon still runs";
  EXPECT_THAT(outcome.err, HasSubstr("noise"));
}

TEST_F(VerifyCommandTest, EndsACommandThatIgnoresTermination) {
  const std::string script = "trap '' TERM; while :; do sleep 1; done";
  const Outcome outcome = Verify({"--json", "--settle", "0.2", "--", "sh", "-c", script});
  EXPECT_EQ(outcome.exit_code, kExitNoneFound) << outcome.err;
  const auto pid = outcome.Json().at("processes").at(0).at("pid").get<pid_t>();
  EXPECT_NE(kill(pid, 0), 0) << "the command still runs";
}

TEST_F(VerifyCommandTest, CommandThatEndsAtOnceIsReported) {
  const Outcome outcome = Verify({"--", "sh", "-c", "exit 3"});
  EXPECT_EQ(outcome.exit_code, kExitNoneFound);
  EXPECT_THAT(outcome.err, HasSubstr("pagewarden: sh : exited with status 3 before"));
}

TEST_F(VerifyCommandTest, PlainServerHoldsUnlockedCopies) {
  std::vector<std::string> words = {"--json", "--settle", "1", "--"};
  for (const std::string& word : ServerCommand()) words.push_back(word);
  const Outcome outcome = Verify(words);
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  EXPECT_GE(outcome.Json().at("summary").at("copies"), 6);
  EXPECT_EQ(outcome.Json().at("summary").at("locked"), 0);
}

TEST_F(VerifyCommandTest, ServerUnderTheShimIsFenced) {
  std::vector<std::string> words = {"--json", "--settle", "1", "--", PAGEWARDEN, "run", "--"};
  for (const std::string& word : ServerCommand()) words.push_back(word);
  const Outcome outcome = Verify(words);
  EXPECT_EQ(outcome.exit_code, kExitClean) << outcome.err << outcome.out;
  const nlohmann::json report = outcome.Json();
  EXPECT_GE(report.at("summary").at("copies"), 6);
  for (const auto& copy : report.at("copies")) {
    EXPECT_TRUE(copy.at("fenced"));
    EXPECT_THAT(copy.at("tag").get<std::string>(), HasSubstr("/"));
  }
}

TEST_F(VerifyCommandTest, PythonsSslHoldsCopies) {
  MakeCertificate();
  const std::string script = absl::StrCat(
      "import ssl, time\n"
      "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
      "context.load_cert_chain('",
      certificate_, "', '", key_file_,
      "')\n"
      "print('ready', flush=True)\n"
      "time.sleep(60)\n");
  const Child child({"/usr/bin/python3", "-c", script});
  const Outcome outcome = VerifyPid(child);
  EXPECT_EQ(outcome.exit_code, kExitFindings) << outcome.err;
  EXPECT_GE(outcome.Json().at("summary").at("copies"), 6);
}

}  // namespace
}  // namespace pagewarden
