// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "agent/cgroup/figure_cache.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Signs = std::vector<std::pair<std::string, uint64_t>>;

// The paths that are read in a round over these.
std::vector<std::string> Round(FigureCache<int>& cache, const Signs& signs) {
  std::vector<std::string> read;
  cache.StartRound();
  for (const auto& [path, sign] : signs) {
    cache.Get(path, sign, [&, name = path](int& figure) {
      ++figure;
      read.push_back(name);
    });
  }
  cache.EndRound();
  return read;
}

Signs Many(size_t count) {
  Signs signs;
  for (size_t i = 0; i < count; ++i) signs.push_back({absl::StrFormat("/%05d", i), 1});
  return signs;
}

TEST(FigureCache, AFewAreReadEachTime) {
  FigureCache<int> cache;
  for (int i = 1; i <= 5; ++i) {
    EXPECT_THAT(Round(cache, {{"/", 1}, {"/a", 1}}), ElementsAre("/", "/a"));
    EXPECT_EQ(*cache.Find("/a"), i);  // the figure is kept
  }
}

TEST(FigureCache, OfManyThoseThatHaveChangedAndTheOthersInTurn) {
  constexpr size_t kCount = 10 * kFiguresPerRound;
  FigureCache<int> cache;
  Signs signs = Many(kCount);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Round(cache, signs).size(), kCount);  // new ones
  std::set<std::string> seen;
  for (size_t i = 0; i < 12; ++i) {
    const std::vector<std::string> read = Round(cache, signs);
    EXPECT_LE(read.size(), kFiguresPerRound);
    seen.insert(read.begin(), read.end());
  }
  EXPECT_EQ(seen.size(), kCount);
  signs[kCount / 2].second = 2;
  size_t times = 0;
  for (int i = 0; i < 3; ++i) {
    const std::vector<std::string> read = Round(cache, signs);
    times += std::count(read.begin(), read.end(), signs[kCount / 2].first);
  }
  EXPECT_EQ(times, 3u);
}

TEST(FigureCache, ForgetsWhatIsGone) {
  FigureCache<int> cache;
  Round(cache, {{"/a", 1}, {"/b", 1}});
  Round(cache, {{"/b", 1}});
  EXPECT_EQ(cache.Find("/a"), nullptr);
  EXPECT_THAT(Round(cache, {}), IsEmpty());
  EXPECT_EQ(cache.Find("/b"), nullptr);
}

}  // namespace
}  // namespace pagewarden
