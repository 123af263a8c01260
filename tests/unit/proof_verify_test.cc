// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/proof/verify.h"
#include "agent/proof/verify_report.h"
#include "agent/proof/verify_summary.h"

namespace pagewarden {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kArena = 0x10000;

Mapping Map(uint64_t start, uint64_t end, bool locked, bool dumpable, const char* name) {
  Mapping mapping;
  mapping.start = start;
  mapping.end = end;
  mapping.locked = locked;
  mapping.dumpable = dumpable;
  mapping.name = name;
  return mapping;
}

ShimState Shim(bool active) {
  ShimState shim;
  shim.policy = "tls";
  shim.active = active;
  shim.arenas.resize(1);
  shim.arenas[0].name = "default";
  shim.arenas[0].base = kArena;
  shim.arenas[0].capacity_bytes = 0x2000;
  return shim;
}

class AttributeTest : public ::testing::Test {
 protected:
  AttributeTest() { needles_.AddText(AsBytes("correct-horse")); }

  FoundCopy At(uint64_t address, const std::vector<Mapping>& mappings,
               std::optional<ShimState> shim) {
    return Attribute(7, {0, address, address + 13, 13}, needles_, mappings, shim);
  }

  NeedleSet needles_;
  const std::vector<Mapping> fenced_ = {Map(kArena, kArena + 0x2000, true, false, "")};
};

TEST_F(AttributeTest, FencedNeedsAllOfLockDumpFlagArenaAndShim) {
  EXPECT_TRUE(At(kArena, fenced_, Shim(true)).fenced);
  EXPECT_FALSE(At(kArena, fenced_, Shim(false)).fenced);
  EXPECT_FALSE(At(kArena, fenced_, std::nullopt).fenced);
  const std::vector<Mapping> unlocked = {Map(kArena, kArena + 0x2000, false, false, "")};
  EXPECT_FALSE(At(kArena, unlocked, Shim(true)).fenced);
  const std::vector<Mapping> dumpable = {Map(kArena, kArena + 0x2000, true, true, "")};
  EXPECT_FALSE(At(kArena, dumpable, Shim(true)).fenced);
}

TEST_F(AttributeTest, ArenaEndsWhereItsDataEnd) {
  const std::vector<Mapping> wide = {Map(kArena - 0x1000, kArena + 0x4000, true, false, "")};
  EXPECT_TRUE(At(kArena + 0x2000 - 13, wide, Shim(true)).fenced);
  EXPECT_FALSE(At(kArena + 0x2000 - 12, wide, Shim(true)).fenced);
  EXPECT_FALSE(At(kArena - 1, wide, Shim(true)).fenced);
  EXPECT_EQ(At(kArena - 1, wide, Shim(true)).tag, "");
}

TEST_F(AttributeTest, NamesArenaAndMapping) {
  EXPECT_EQ(At(kArena, fenced_, Shim(true)).tag, "tls/default");
  EXPECT_EQ(At(kArena, fenced_, Shim(true)).mapping, "anon");
  const std::vector<Mapping> heap = {Map(0x1000, 0x2000, false, true, "[heap]")};
  const FoundCopy copy = At(0x1800, heap, Shim(true));
  EXPECT_EQ(copy.mapping, "[heap]");
  EXPECT_EQ(copy.representation, "text");
  EXPECT_EQ(copy.bytes, 13u);
  EXPECT_FALSE(copy.locked);
  EXPECT_TRUE(copy.dumpable);
}

TEST_F(AttributeTest, CopyAcrossMappingsIsAsSafeAsItsWeakerPart) {
  const std::vector<Mapping> mappings = {Map(0x1000, 0x2000, false, true, "[heap]"),
                                         Map(0x2000, 0x3000, true, false, "[heap]")};
  EXPECT_FALSE(At(0x2000 - 5, mappings, std::nullopt).locked);
  EXPECT_TRUE(At(0x2000 - 5, mappings, std::nullopt).dumpable);
  EXPECT_TRUE(At(0x2000, mappings, std::nullopt).locked);
  EXPECT_FALSE(At(0x2000, mappings, std::nullopt).dumpable);
}

FoundCopy Found(pid_t pid, bool locked, bool fenced) {
  FoundCopy copy;
  copy.pid = pid;
  copy.address = 0x7f00deadb000;
  copy.bytes = 128;
  copy.representation = "rsa.p:limbs-le";
  copy.mapping = "[heap]";
  copy.secret = "site.pem";
  copy.locked = locked;
  copy.fenced = fenced;
  copy.dumpable = !fenced;
  copy.kind = fenced ? PlaceKind::kArena : PlaceKind::kHeap;
  if (!fenced) return copy;
  copy.tag = "tls/default";
  copy.stale = false;
  return copy;
}

TEST(ReportTest, ExitCodes) {
  VerifyResult result;
  result.processes = {{1, "a"}};
  EXPECT_EQ(ExitCode(result), kExitNoneFound);
  result.copies = {Found(1, true, true)};
  EXPECT_EQ(ExitCode(result), kExitClean);
  result.copies.push_back(Found(1, true, false));
  EXPECT_EQ(ExitCode(result), kExitFindings);
  EXPECT_EQ(ExitCode(result, Accept::kLocked), kExitClean);
  result.copies.push_back(Found(1, false, false));
  EXPECT_EQ(ExitCode(result, Accept::kLocked), kExitFindings);
  result.unreadable = {"process 2 (b) : no"};
  EXPECT_EQ(ExitCode(result), kExitPartialData);
}

TEST(ReportTest, Verdicts) {
  VerifyResult result;
  result.processes = {{1, "a"}, {2, "b"}};
  EXPECT_EQ(Verdict(result), "no copy found in 2 processes");
  result.copies = {Found(1, true, true)};
  EXPECT_EQ(Verdict(result), "1 copy in 1 of 2 processes: 1 fenced, 0 not fenced");
  result.copies.push_back(Found(2, false, false));
  EXPECT_EQ(Verdict(result), "2 copies in 2 processes: 1 fenced, 1 not fenced");
  result.copies.push_back(Found(2, true, false));
  result.copies.back().stale = true;
  EXPECT_EQ(Verdict(result),
            "3 copies in 2 processes: 1 fenced, 2 not fenced (1 of them locked), 1 stale");
}

TEST(ReportTest, JsonHasTheContractsFields) {
  VerifyResult result;
  result.processes = {{1, "bad\xff"}};
  result.copies = {Found(1, true, true), Found(1, true, false), Found(1, false, false)};
  std::ostringstream out;
  PrintJson(result, out);
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json.at("schemaVersion"), 1);
  EXPECT_EQ(json.at("processes").at(0).at("pid"), 1);
  EXPECT_EQ(json.at("copies").at(0),
            nlohmann::json::parse(R"({"pid": 1, "address": "0x7f00deadb000", "bytes": 128,
              "representation": "rsa.p:limbs-le", "mapping": "[heap]", "locked": true,
              "fenced": true, "dumpable": false, "tag": "tls/default", "kind": "Arena",
              "stale": false, "secret": "site.pem"})"));
  EXPECT_EQ(json.at("copies").at(1).at("kind"), "Heap");
  EXPECT_TRUE(json.at("copies").at(1).at("stale").is_null());
  EXPECT_FALSE(json.at("copies").at(1).contains("tag"));
  EXPECT_EQ(json.at("summary"),
            nlohmann::json::parse(R"({"copies": 3, "locked": 2, "fenced": 1, "unlocked": 1,
                "lockedOutsideArenas": 1, "stale": 0, "kinds": {"Arena": 1, "Heap": 2}})"));
  EXPECT_TRUE(json.at("stoppedMilliseconds").is_null());
}

TEST(ReportTest, SaysForHowLongProcessesWereStopped) {
  VerifyResult result;
  result.processes = {{1, "a", absl::Microseconds(1500)}, {2, "b", absl::Microseconds(2250)}};
  std::ostringstream table;
  PrintTable(result, table);
  EXPECT_EQ(table.str(), "no copy found in 2 processes; stopped for 2.2 ms at most\n");
  std::ostringstream out;
  PrintJson(result, out);
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json.at("stoppedMilliseconds"), 2.25);
  EXPECT_EQ(json.at("processes").at(0).at("stoppedMilliseconds"), 1.5);
}

size_t LineCount(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(ReportTest, ManyCopiesAreGrouped) {
  VerifyResult result;
  result.processes = {{1, "node"}};
  for (uint64_t i = 0; i < 621; ++i) {
    FoundCopy copy = Found(1, false, false);
    copy.address += i * 4096;
    copy.kind = i % 3 == 0 ? PlaceKind::kAnonymous : PlaceKind::kHeap;
    result.copies.push_back(copy);
  }
  std::ostringstream by_form;
  PrintTable(result, by_form);
  EXPECT_EQ(LineCount(by_form.str()), 5u) << by_form.str();
  EXPECT_THAT(by_form.str(), HasSubstr("rsa.p:limbs-le"));
  EXPECT_THAT(by_form.str(), HasSubstr("     414\n"));
  EXPECT_THAT(by_form.str(), HasSubstr("(grouped; --plain and --json list every copy)\n621 cop"));
  for (size_t i = 0; i < result.copies.size(); ++i) {
    result.copies[i].representation = absl::StrCat("form-", i % 50);
  }
  std::ostringstream by_place;
  PrintTable(result, by_place);
  EXPECT_EQ(LineCount(by_place.str()), 5u) << by_place.str();
  EXPECT_THAT(by_place.str(), Not(HasSubstr("form-")));
  std::ostringstream plain;
  PrintPlain(result, plain);
  EXPECT_EQ(LineCount(plain.str()), 621u);
}

// With several secrets, each row says whose copy it is.
TEST(ReportTest, SecretsAreToldApart) {
  VerifyResult result;
  result.processes = {{1, "a"}};
  result.copies = {Found(1, false, false)};
  std::ostringstream one;
  PrintTable(result, one);
  EXPECT_THAT(one.str(), Not(HasSubstr("site.pem")));
  result.copies.push_back(Found(1, false, false));
  result.copies.back().secret = "/etc/ssl/other.pem";
  std::ostringstream two;
  PrintTable(result, two);
  EXPECT_THAT(two.str(), AllOf(HasSubstr("  site.pem "), HasSubstr("  other.pem ")));
  result.copies.back().secret = "/etc/ssl/site.pem";
  std::ostringstream alike;
  PrintTable(result, alike);
  EXPECT_THAT(alike.str(), AllOf(HasSubstr("  site.pem "), HasSubstr("  /etc/ssl/site.pem ")));
}

TEST(ReportTest, NamesCannotMoveTheCursor) {
  VerifyResult result;
  result.processes = {{1, "a\x1b[2J\nb"}};
  result.copies = {Found(1, false, false)};
  std::ostringstream table;
  PrintTable(result, table);
  EXPECT_THAT(table.str(), HasSubstr("a\\x1b[2J\\x0ab"));
  std::ostringstream plain;
  PrintPlain(result, plain);
  EXPECT_EQ(plain.str(),
            "1\ta\\x1b[2J\\x0ab\t0x7f00deadb000\t128\trsa.p:limbs-le\t[heap]\tno\tyes\tno\t-\t"
            "Heap\t-\tsite.pem\n");
}

}  // namespace
}  // namespace pagewarden
