// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "agent/metrics/collect.h"

namespace pagewarden {
namespace {

// Fields of proc(5)'s /proc/PID/stat, counted from the state, which is the first behind the name.
enum StatField { kUtime = 11, kStime = 12, kThreads = 17, kStart = 19, kVsize = 20, kRss = 21 };

std::vector<double> ReadStat() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream words(text.substr(name_end + 1));
  std::vector<double> fields;
  for (std::string word; words >> word;) {
    double value = 0;
    if (!absl::SimpleAtod(word, &value)) value = 0;  // the state
    fields.push_back(value);
  }
  return fields;
}

double BootTime() {
  timespec since_boot;
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  clock_gettime(CLOCK_REALTIME, &now);
  const auto seconds = [](const timespec& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
  };
  return seconds(now) - seconds(since_boot);
}

double CountOpenFiles() {
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  double count = -1;  // this one
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(directory);
  return count;
}

double MaxOpenFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity()
                                         : static_cast<double>(limit.rlim_cur);
}

}  // namespace

void AddOwnProcess(Samples& samples) {
  const std::vector<double> stat = ReadStat();
  if (stat.size() <= kRss) return;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  // Whole seconds would do; what must not be is another value at each scrape.
  static const double boot_time = BootTime();
  samples.Add(Metric::kProcessCpu, {}, (stat[kUtime] + stat[kStime]) / ticks);
  samples.Add(Metric::kProcessStart, {}, boot_time + stat[kStart] / ticks);
  samples.Add(Metric::kProcessResident, {}, stat[kRss] * static_cast<double>(getpagesize()));
  samples.Add(Metric::kProcessVirtual, {}, stat[kVsize]);
  samples.Add(Metric::kProcessOpenFds, {}, CountOpenFiles());
  samples.Add(Metric::kProcessMaxFds, {}, MaxOpenFiles());
  samples.Add(Metric::kProcessThreads, {}, stat[kThreads]);
}

}  // namespace pagewarden
