// SPDX-License-Identifier: Apache-2.0
// Runs `pagewarden verify` and the tools of the tests on real processes.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/base/exit_codes.h"
#include "tests/unit/proof_keys.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;

  nlohmann::json Json() const { return nlohmann::json::parse(out); }
};

inline std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline pid_t Spawn(const std::vector<std::string>& words, int out, int err) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t pid = -1;
  EXPECT_EQ(posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ), 0) << words[0];
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

// A process that ends with the test.
class Child {
 public:
  // Waits for a line on its standard output.
  explicit Child(const std::vector<std::string>& words) {
    int out[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    pid_ = Spawn(words, out[1], STDERR_FILENO);
    close(out[1]);
    char c = 0;
    while (read(out[0], &c, 1) == 1 && c != '\n') continue;
    close(out[0]);
  }
  ~Child() {
    if (pid_ <= 0) return;  // it was not started: -1 stands for every process there is
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::string pid() const { return absl::StrCat(pid_); }

  // The rest of the line of /proc/PID/status that begins with `field`.
  std::string Status(const std::string& field) const {
    std::stringstream lines(Slurp(absl::StrCat("/proc/", pid_, "/status")));
    for (std::string line; std::getline(lines, line);) {
      if (line.rfind(field + ":\t", 0) == 0) return line.substr(field.size() + 2);
    }
    return "";
  }
  bool IsTraced() const { return Status("TracerPid") != "0"; }

 private:
  pid_t pid_;
};

// representation, mapping, bytes, locked, dumpable, fenced
using Row = std::tuple<std::string, std::string, uint64_t, bool, bool, bool>;

inline std::vector<Row> Rows(const nlohmann::json& report) {
  std::vector<Row> rows;
  for (const auto& copy : report.at("copies")) {
    rows.emplace_back(copy.at("representation"), copy.at("mapping"), copy.at("bytes"),
                      copy.at("locked"), copy.at("dumpable"), copy.at("fenced"));
  }
  return rows;
}

class VerifyCommandTest : public ::testing::Test {
 protected:
  VerifyCommandTest()
      : p_(Number(key_, OSSL_PKEY_PARAM_RSA_FACTOR1)), d_(Number(key_, OSSL_PKEY_PARAM_RSA_D)) {
    p_limbs_file_ = directory_.Write("p.limbs", Limbs(p_));
    p_file_ = directory_.Write("p", p_);
    d_file_ = directory_.Write("d", d_);
    key_file_ = directory_.Write("key.pem", Pkcs8Pem(key_));
    certificate_ = directory_.path() + "/certificate.pem";
  }

  // Waits for a process that was started with both streams to these files.
  Outcome Await(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, Slurp(directory_.path() + "/out"),
            Slurp(directory_.path() + "/err")};
  }

  pid_t Start(const std::vector<std::string>& words) {
    const std::string out_path = directory_.path() + "/out";
    const std::string err_path = directory_.path() + "/err";
    const int out = open(out_path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    const int err = open(err_path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    const pid_t pid = Spawn(words, out, err);
    close(out);
    close(err);
    return pid;
  }

  Outcome Run(const std::vector<std::string>& words) { return Await(Start(words)); }

  Outcome Verify(std::vector<std::string> words) {
    words.insert(words.begin(), {PAGEWARDEN, "verify", "--secret", key_file_});
    return Run(words);
  }

  Outcome VerifyPid(const Child& child) { return Verify({"--json", "--pid", child.pid()}); }

  void MakeCertificate() {
    const Outcome made = Run({"openssl", "req", "-x509", "-key", key_file_, "-subj",
                              "/CN=localhost", "-days", "2", "-out", certificate_});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  std::vector<std::string> ServerCommand() {
    MakeCertificate();
    return {"openssl", "s_server",   "-accept", "127.0.0.1:0",
            "-cert",   certificate_, "-key",    key_file_};
  }

  const TestKey key_ = NewRsaKey();
  const std::string p_;
  const std::string d_;
  TempDirectory directory_;
  std::string p_limbs_file_;
  std::string p_file_;
  std::string d_file_;
  std::string key_file_;
  std::string certificate_;
};

}  // namespace pagewarden
