// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/proc_truth.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/truth/own_status.h"

namespace truth {
namespace {

constexpr unsigned kShmLocked = 02000;

bool HasWord(const std::string& line, const std::string& wanted) {
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

bool SumLockedMappings(const std::string& directory, uint64_t& sum) {
  std::ifstream smaps(directory + "/smaps");
  if (!smaps) return false;
  unsigned long start = 0;
  unsigned long end = 0;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long from = 0;  // "Anonymous:" begins as a number does
    unsigned long to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
      start = from;
      end = to;
    }
    if (line.compare(0, 8, "VmFlags:") == 0 && HasWord(line, "lo")) sum += end - start;
  }
  return end != 0;
}

}  // namespace

std::optional<ProcTruth> ReadProcTruth(pid_t pid) {
  const std::string threads = "/proc/" + std::to_string(pid) + "/task";
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator(threads, gone)) {
    const std::string directory = thread.path().string();
    StatusFigures figures;
    ProcTruth truth;
    if (!ReadStatusFigures((directory + "/status").c_str(), figures)) continue;
    if (!SumLockedMappings(directory, truth.mapping_bytes)) return std::nullopt;
    truth.locked_bytes = figures.locked_bytes;
    truth.pinned_bytes = figures.pinned_bytes;
    return truth;
  }
  return std::nullopt;
}

std::map<int, uint64_t> ReadLockedSegments() {
  std::map<int, uint64_t> segments;
  std::ifstream table("/proc/sysvipc/shm");
  std::string line;
  std::getline(table, line);  // the heading
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    long key = 0;
    int id = 0;
    unsigned permissions = 0;
    uint64_t bytes = 0;
    fields >> key >> id >> std::oct >> permissions >> std::dec >> bytes;
    if (fields && (permissions & kShmLocked) != 0) segments[id] = bytes;
  }
  return segments;
}

}  // namespace truth
