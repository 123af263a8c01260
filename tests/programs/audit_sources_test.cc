// SPDX-License-Identifier: Apache-2.0
// 50 processes that lock known amounts in nested cgroups: `pagewarden audit`
// must tell the same truth about them by BPF and from /proc.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/bpf/task_snapshot.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/cgroup/paths.h"
#include "agent/proc/status.h"
#include "tests/programs/audit_sources_lockers.h"

namespace pagewarden {
namespace {

using nlohmann::json;

constexpr int kProcesses = 50;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kPage = 4096;

struct Output {
  int exit_code = -1;
  json report;
};

// Runs the audit; the report stays null when stdout is not JSON.
Output RunAudit(const std::string& arguments) {
  const char* const program = getenv("PAGEWARDEN");
  if (program == nullptr) return {};
  FILE* const pipe = popen(absl::StrCat(program, " audit --json ", arguments).c_str(), "r");
  std::string text;
  char buffer[65536];
  while (const size_t got = fread(buffer, 1, sizeof(buffer), pipe)) text.append(buffer, got);
  Output output;
  output.exit_code = WEXITSTATUS(pclose(pipe));
  output.report = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return output;
}

bool IsBpfAllowed() {
  const auto snapshot = TaskSnapshot::Open(std::nullopt);
  return !absl::IsPermissionDenied(snapshot.status()) && !absl::IsUnimplemented(snapshot.status());
}

class AuditSources : public ::testing::Test {
 protected:
  void SetUp() override {
    auto hierarchy = CgroupHierarchy::Find();
    if (!hierarchy.ok()) GTEST_SKIP() << hierarchy.status();
    const auto own = hierarchy->PathOf(getpid());
    ASSERT_TRUE(own.ok()) << own.status();
    const std::string parent = *own == "/" ? "" : *own;
    top_ = absl::StrCat(parent, "/pagewarden-audit-test-", getpid());
    directories_ = {"", "/outer.slice", "/outer.slice/inner.service"};
    for (std::string& directory : directories_) {
      const std::string path = hierarchy->DirectoryOf(absl::StrCat(top_, directory));
      if (mkdir(path.c_str(), 0755) != 0) GTEST_SKIP() << path << ": cannot make a cgroup";
      made_.push_back(path);
    }
    ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &limit_), 0);
    can_pin_ = CanPin();
    for (int i = 0; i < kProcesses; ++i) StartOne(i);
  }

  void TearDown() override {
    for (Locker& locker : lockers_) StopLocker(locker);
    for (auto directory = made_.rbegin(); directory != made_.rend(); ++directory) {
      for (int attempt = 0; rmdir(directory->c_str()) != 0 && attempt < 100; ++attempt) {
        usleep(10000);  // the kernel lets go of the dead processes a little later
      }
    }
  }

  void StartOne(int i) {
    Locker locker;
    locker.cgroup = top_ + directories_[i % 3];
    locker.comm = i % 7 == 0 ? absl::StrCat("a b\n\\\t", i) : absl::StrCat("locker-", i);
    locker.locked_bytes = i % 5 * kMiB + (i % 5 == 0 ? 0 : i * kPage);
    locker.drop_user = i % 4 == 1;
    locker.drop_capability = i % 4 == 2;
    locker.user_namespace = i == 3;
    locker.pinned_bytes = i % 8 == 1 && can_pin_ ? 16 * kPage : 0;
    locker.hard_limit = i % 6 == 0 ? limit_.rlim_max : 6 * kMiB + i;
    locker.soft_limit = i % 6 == 0   ? limit_.rlim_cur
                        : i % 6 == 1 ? 0
                        : i % 6 == 2 ? 65536 + i
                                     : 5 * kMiB;
    lockers_.push_back(locker);
    EXPECT_TRUE(StartLocker(lockers_.back(), made_[i % 3])) << "process " << i;
  }

  json Expected(const Locker& locker) const {
    const auto limit = [](uint64_t bytes) { return bytes == RLIM_INFINITY ? json() : json(bytes); };
    const bool has_capability =
        !locker.drop_user && !locker.drop_capability && !locker.user_namespace;
    return {{"pid", locker.pid},
            {"comm", locker.comm},
            {"exe", ReadExe(getpid())},
            {"uid", locker.drop_user ? kNobody : geteuid()},
            {"lockedBytes", locker.locked_bytes},
            {"pinnedBytes", locker.pinned_bytes},
            {"softLimitBytes", limit(locker.soft_limit)},
            {"hardLimitBytes", limit(locker.hard_limit)},
            {"capIpcLock", has_capability},
            {"driftBytes", 0},
            {"peakLockedBytes", locker.locked_bytes},
            {"peakQuality", "sampled"}};
  }

  // Each field of Expected, and the locked mappings that VmLck is made of.
  void ExpectProcess(const json& process, const Locker& locker) const {
    const json expected = Expected(locker);
    for (const auto& field : expected.items()) {
      EXPECT_EQ(process.value(field.key(), json()), field.value()) << field.key() << process;
    }
    uint64_t locked = 0;
    const json mappings = process.value("lockedMappings", json::object());
    for (const auto& kind : mappings.items()) {
      if (kind.key() != "onFaultBytes") locked += kind.value().get<uint64_t>();
    }
    EXPECT_EQ(locked, locker.locked_bytes) << process;
  }

  // Every process once, in its cgroup, with the truth in every field.
  void ExpectTruth(const json& report) const {
    std::map<pid_t, std::pair<std::string, json>> found;
    for (const json& cgroup : report["cgroups"]) {
      for (const json& process : cgroup["processes"]) {
        const bool first =
            found.emplace(process["pid"], std::make_pair(cgroup["path"], process)).second;
        EXPECT_TRUE(first) << "twice: " << process;
      }
    }
    for (const Locker& locker : lockers_) {
      ASSERT_EQ(found.count(locker.pid), 1u) << locker.pid;
      EXPECT_EQ(found[locker.pid].first, locker.cgroup);
      ExpectProcess(found[locker.pid].second, locker);
    }
  }

  void ExpectRollUp(const json& report) const {
    ASSERT_EQ(report["cgroups"].size(), directories_.size());
    for (const json& cgroup : report["cgroups"]) {
      const std::string path = cgroup["path"];
      uint64_t subtree = 0;
      for (const Locker& locker : lockers_) {
        if (IsAtOrBelowCgroup(locker.cgroup, path)) subtree += locker.locked_bytes;
      }
      EXPECT_EQ(cgroup["subtree"]["lockedBytes"], subtree);
      uint64_t locked = 0;
      uint64_t pinned = 0;
      uint64_t tightest = ~uint64_t{0};
      for (const Locker& locker : lockers_) {
        if (locker.cgroup != cgroup["path"]) continue;
        locked += locker.locked_bytes;
        pinned += locker.pinned_bytes;
        tightest = std::min(tightest, locker.soft_limit);
      }
      EXPECT_EQ(cgroup["lockedBytes"], locked);
      EXPECT_EQ(cgroup["pinnedBytes"], pinned);
      EXPECT_EQ(cgroup["limitMinBytes"], tightest);
      // Written back from per-CPU batches, so not to the page.
      if (!cgroup["unevictableBytes"].is_null()) {
        EXPECT_GE(cgroup["unevictableBytes"].get<uint64_t>(), locked - locked / 10);
      }
    }
  }

  std::string top_;
  std::vector<std::string> directories_;
  std::vector<std::string> made_;
  std::vector<Locker> lockers_;
  rlimit limit_ = {};
  bool can_pin_ = false;
};

// Without what changes by itself, and what /proc has no figure for.
json Comparable(json cgroups) {
  for (json& cgroup : cgroups) {
    cgroup.erase("unevictableBytes");
    cgroup["subtree"].erase("unevictableBytes");
    cgroup["recommendation"].erase("uidBytes");
    for (json& process : cgroup["processes"]) {
      process.erase("locksFuture");
      if (process.contains("lockedMappings")) process["lockedMappings"].erase("onFaultBytes");
    }
  }
  return cgroups;
}

uint64_t ResidueOf(uid_t uid, const json& report) {
  for (const json& user : report["uids"]) {
    if (user["uid"] == uid) return user["residueBytes"];
  }
  return 0;
}

TEST_F(AuditSources, AgreeWithEachOtherAndWithTheTruth) {
  const std::string filter = absl::StrCat("--cgroup ", top_, " --source=");
  const Output proc = RunAudit(filter + "proc");
  ASSERT_EQ(proc.exit_code, 0);
  EXPECT_EQ(proc.report["source"], "proc");
  ExpectTruth(proc.report);
  ExpectRollUp(proc.report);

  const Output bpf = RunAudit(filter + "bpf");
  if (bpf.exit_code == 4 && !IsBpfAllowed()) GTEST_SKIP() << "no BPF here; /proc was checked";
  ASSERT_EQ(bpf.exit_code, 0);
  EXPECT_EQ(bpf.report["source"], "bpf");
  ExpectTruth(bpf.report);
  ExpectRollUp(bpf.report);
  EXPECT_EQ(Comparable(bpf.report["cgroups"]), Comparable(proc.report["cgroups"]));

  uint64_t pinned = 0;
  for (const Locker& locker : lockers_) pinned += locker.pinned_bytes;
  EXPECT_GE(ResidueOf(kNobody, bpf.report), pinned);
}

TEST_F(AuditSources, FilterIsASelectionOfTheWhole) {
  const Output whole = RunAudit("");
  ASSERT_FALSE(whole.report.is_discarded());  // exit 4 is fine: others may be unreadable
  ExpectTruth(whole.report);
  const Locker& one = lockers_[9];
  const Output single = RunAudit(absl::StrCat("--pid ", one.pid));
  ASSERT_EQ(single.exit_code, 0);
  ASSERT_EQ(single.report["cgroups"].size(), 1u);
  ASSERT_EQ(single.report["cgroups"][0]["processes"].size(), 1u);
  ExpectProcess(single.report["cgroups"][0]["processes"][0], one);
}

}  // namespace
}  // namespace pagewarden
