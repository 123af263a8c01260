// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "agent/metrics/cgroup_figures.h"
#include "agent/metrics/exposition.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kInterval = absl::Seconds(15);

class MetricsExpositionTest : public ::testing::Test {
 protected:
  MetricsExpositionTest() { view_.time = absl::FromUnixSeconds(1'800'000'000); }

  CgroupRow& Row(const std::string& path) {
    for (CgroupRow& row : view_.report.cgroups) {
      if (row.path == path) return row;
    }
    CgroupRow row;
    row.path = path;
    row.own.processes = 1;
    view_.report.cgroups.push_back(row);
    return view_.report.cgroups.back();
  }

  CgroupBook& Book(const std::string& path) {
    CgroupBook& book = view_.books.cgroups[path];
    book.last_seen = view_.time;
    return book;
  }

  void Lock(const std::string& path, uint64_t bytes) { Row(path).own.locked_bytes = bytes; }

  std::string Scrape(Exposition& exposition) {
    view_.time += kInterval;
    return exposition.Render(view_, MetricsFormat::kText);
  }

  HostView view_;
};

// Sum of the samples of a family whose labels hold `filter`.
double Sum(const std::string& text, const std::string& name, const std::string& filter = "") {
  double sum = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::StartsWith(line, absl::StrCat(name, "{")) || !absl::StrContains(line, filter)) {
      continue;
    }
    double value = 0;
    EXPECT_TRUE(absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) << line;
    sum += value;
  }
  return sum;
}

std::set<std::string> CgroupsOf(const std::string& text) {
  std::set<std::string> cgroups;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t at = line.find("{cgroup=\"");
    if (at == absl::string_view::npos) continue;
    const absl::string_view rest = line.substr(at + 9);
    cgroups.emplace(rest.substr(0, rest.find('"')));
  }
  return cgroups;
}

TEST_F(MetricsExpositionTest, HostileLabelsStayValid) {
  Lock("/a\"b\\c\nd\x80\xff", 4096);
  EXPECT_THAT(RenderMetrics(view_, {}),
              ::testing::ContainsRegex("pagewarden_cgroup_locked_bytes[{]cgroup=\"/a\\\\\"b"
                                       "\\\\\\\\c\\\\nd\xEF\xBF\xBD\xEF\xBF\xBD\xE2\x80\xA6"
                                       "[0-9a-f]+\"[}] 4096\n"));
}

std::vector<std::string> SeriesOf(const std::string& text) {
  std::vector<std::string> series;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line[0] != '#') series.emplace_back(line.substr(0, line.rfind(' ')));
  }
  std::sort(series.begin(), series.end());
  return series;
}

TEST_F(MetricsExpositionTest, CgroupsWithNamesThatAreNoTextAreKeptApart) {
  for (const char* path : {"/a\xff", "/a\xfe", "/a\xef\xbf\xbd", "/a\x01"}) Lock(path, 4096);
  Exposition exposition({200, ""});
  const std::string text = Scrape(exposition);
  EXPECT_EQ(Sum(text, "pagewarden_cgroup_locked_bytes"), 4 * 4096);
  EXPECT_THAT(CgroupsOf(text), ::testing::SizeIs(4));
  EXPECT_THAT(CgroupsOf(text), ::testing::Contains("/a\xef\xbf\xbd"));  // a name like others
}

TEST_F(MetricsExpositionTest, NamesInLedgersAreBoundedAndTheirSumsStay) {
  CgroupRow& row = Row("/a");
  for (int i = 0; i < 500; ++i) {
    ProcessRow process;
    process.pid = 100 + i;
    process.shim.emplace();
    process.shim->active = true;
    process.shim->policy = absl::StrCat("p", i % 100);
    process.shim->mode = "Enforce";
    process.shim->arenas.emplace_back().name = absl::StrCat("arena", i);
    process.shim->arenas[0].capacity_bytes = 10;
    process.shim->tags.emplace_back().name = absl::StrCat("rule", i);
    process.shim->tags[0].is_rule = true;
    process.shim->tags[0].live_bytes = 1;
    row.processes.push_back(process);
  }
  LoadedPolicy loaded;
  loaded.name = "p99";
  view_.policies.loaded.push_back(loaded);
  Exposition exposition({200, ""});
  const std::string text = Scrape(exposition);
  EXPECT_LT(SeriesOf(text).size(), 500u);
  EXPECT_EQ(Sum(text, "pagewarden_shim_processes"), 500);
  EXPECT_EQ(Sum(text, "pagewarden_tagged_live_bytes"), 500);
  EXPECT_EQ(Sum(text, "pagewarden_arena_capacity_bytes"), 5000);
  EXPECT_EQ(Sum(text, "pagewarden_shim_processes", "policy=\"p99\""), 5);
}

TEST_F(MetricsExpositionTest, UnlimitedIsInfinity) {
  Lock("/a", 4096);
  EXPECT_THAT(RenderMetrics(view_, {}),
              HasSubstr("pagewarden_cgroup_memlock_limit_min_bytes{cgroup=\"/a\"} +Inf\n"));
}

TEST_F(MetricsExpositionTest, QuietCgroupsAreNotExported) {
  Row("/quiet");
  Lock("/locks", 4096);
  EXPECT_EQ(CgroupsOf(RenderMetrics(view_, {})), std::set<std::string>{"/locks"});
}

TEST_F(MetricsExpositionTest, FiveThousandCgroupsBecomeTwoHundredWithTheSameSums) {
  double locked = 0;
  double denials = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string path = absl::StrFormat("/tenants/%04d.service", i);
    Lock(path, 4096 * (1 + i % 97));
    locked += static_cast<double>(Row(path).own.locked_bytes);
    if (i % 10 != 0) continue;
    Book(path).denials["OVER_LIMIT.HARD"] = i;
    denials += i;
  }
  Exposition exposition({});
  const std::clock_t before = std::clock();
  const std::string text = Scrape(exposition);
  const double ms = 1000.0 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_EQ(CgroupsOf(text).size(), 201u);
  EXPECT_EQ(CgroupsOf(text).count(kOtherCgroups), 1u);
  EXPECT_EQ(Sum(text, "pagewarden_cgroup_locked_bytes"), locked);
  EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total"), denials);
  EXPECT_THAT(text, HasSubstr("pagewarden_cgroups_tracked 5000\n"));
  EXPECT_THAT(text, HasSubstr("pagewarden_cgroups_folded 4800\n"));
  std::cout << "a scrape of 5,000 cgroups: " << text.size() << " bytes, " << ms << " ms\n";
}

// 300 containers, each in a pod, of 3 namespaces, of which 200 have series.
TEST_F(MetricsExpositionTest, LabelsThatAreLeftOutChangeNoSum) {
  double locked = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string path = absl::StrFormat("/docker/%064d", i);
    Lock(path, 4096 * (1 + i));
    Row(path).identity = ClassifyCgroup(path);
    Book(path).denials["OVER_LIMIT"] = 1;
    locked += 4096 * (1 + i);
  }
  for (const char* const kept : {"namespace,pod,container", "namespace,pod", " container ", ""}) {
    const auto labels = ParseCgroupLabels(kept);
    ASSERT_TRUE(labels.ok()) << labels.status();
    const std::string text = RenderMetrics(view_, {200, "", *labels});
    EXPECT_EQ(CgroupsOf(text).size(), 201u) << kept;
    EXPECT_EQ(Sum(text, "pagewarden_cgroup_locked_bytes"), locked) << kept;
    EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total"), 300) << kept;
    const bool has_containers = absl::StrContains(kept, "container");
    EXPECT_EQ(Sum(text, "pagewarden_cgroup_locking_processes", "container=") > 0 ||
                  absl::StrContains(text, "container=\""),
              has_containers)
        << kept;
  }
}

TEST_F(MetricsExpositionTest, BudgetsOfNamespacesKeepTheirNames) {
  for (const char* const name : {"payments", "search"}) {
    BudgetState state;
    state.scope = BudgetScope::kNamespace;
    state.subject = name;
    state.sources.emplace_back();
    state.sources.back().policy = "tenants";
    state.sources.back().limit_bytes = 1 << 20;
    view_.budgets.states.push_back(state);
  }
  const std::string text = RenderMetrics(view_, {200, "", *ParseCgroupLabels("")});
  EXPECT_EQ(Sum(text, "pagewarden_cgroup_budget_bytes"), 2 << 20);
  EXPECT_EQ(Sum(text, "pagewarden_cgroup_budget_bytes", "namespace=\"search\""), 1 << 20);
}

TEST(CgroupLabels, OfOtherWordsNothingIsMade) {
  for (const char* const wrong : {"pods", "cgroup", "pod,pod", "pod,", "namespace pod", "reason"}) {
    EXPECT_FALSE(ParseCgroupLabels(wrong).ok()) << wrong;
  }
  EXPECT_THAT(std::string(ParseCgroupLabels("contaner").status().message()),
              HasSubstr("did you mean \"container\"?"));
}

TEST_F(MetricsExpositionTest, AttentionComesBeforeBytes) {
  Lock("/large", 1 << 30);
  Lock("/refused", 0);
  Book("/refused").denials["LIMIT_ZERO"] = 1;
  const std::string text = RenderMetrics(view_, {1, ""});
  EXPECT_EQ(CgroupsOf(text), (std::set<std::string>{"/refused", kOtherCgroups}));
}

TEST_F(MetricsExpositionTest, SeriesDoNotFlapWithBytes) {
  Exposition exposition({1, ""});
  Lock("/a", 10000);
  Lock("/b", 9000);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(CgroupsOf(Scrape(exposition)).count("/a"), 1u) << i;
    Lock("/b", i % 2 == 0 ? 12000 : 9000);
  }
  Lock("/b", 30000);
  EXPECT_EQ(CgroupsOf(Scrape(exposition)).count("/b"), 1u);
}

TEST_F(MetricsExpositionTest, CountersNeverGoDownWhenCgroupsMove) {
  TempDirectory directory;
  const MetricsOptions options = {1, directory.path() + "/folded"};
  Exposition exposition(options);
  Lock("/a", 10000);
  Lock("/b", 4096);
  Book("/a").denials["OVER_LIMIT"] = 1;
  Book("/b").denials["OVER_LIMIT"] = 5;
  const std::string rlimit = "reason=\"rlimit\"";
  std::string text = Scrape(exposition);
  EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total", "__other__"), 5);
  // Now the other one gets the series: what it had before stays where it was shown.
  Lock("/b", 1 << 20);
  Book("/b").denials["OVER_LIMIT"] = 7;
  text = Scrape(exposition);
  EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total", "cgroup=\"/b\""), 2);
  EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total", "__other__"), 5);
  // A refusal in the one that has lost it; then a restart of the agent; then it is removed.
  Book("/a").denials["OVER_LIMIT"] = 4;
  text = Scrape(exposition);
  EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total", "__other__"), 8);
  Exposition restarted(options);
  text = Scrape(restarted);
  EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total", "cgroup=\"/b\""), 2);
  EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total", "__other__"), 8);
  view_.books.cgroups.erase("/a");
  view_.report.cgroups.erase(view_.report.cgroups.begin());
  text = Scrape(restarted);
  EXPECT_EQ(Sum(text, "pagewarden_memlock_denials_total", "__other__"), 8);
}

TEST_F(MetricsExpositionTest, GoneCgroupsAreDroppedAfterFiveMinutes) {
  Exposition exposition({});
  Book("/gone").peak_locked_bytes = 4096;
  EXPECT_EQ(CgroupsOf(Scrape(exposition)).count("/gone"), 1u);
  view_.time += absl::Minutes(5);
  EXPECT_EQ(CgroupsOf(Scrape(exposition)).count("/gone"), 0u);
}

TEST_F(MetricsExpositionTest, OpenMetricsNamesCountersWithoutTotal) {
  Lock("/a", 4096);
  const std::string text = Exposition({}).Render(view_, FormatFor("application/openmetrics-text"));
  EXPECT_THAT(text, HasSubstr("# TYPE pagewarden_memlock_denials counter\n"));
  EXPECT_THAT(text, HasSubstr("\npagewarden_memlock_denials_total{"));
  EXPECT_EQ(text.substr(text.size() - 6), "# EOF\n");
}

TEST_F(MetricsExpositionTest, ASnapshotHasNoCounters) {
  Lock("/a", 4096);
  const std::string text = RenderSnapshot(view_, {});
  EXPECT_THAT(text, HasSubstr("pagewarden_cgroup_locked_bytes{cgroup=\"/a\"} 4096\n"));
  EXPECT_THAT(text, Not(HasSubstr("_total")));
}

}  // namespace
}  // namespace pagewarden
