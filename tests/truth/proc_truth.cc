// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/proc_truth.h"

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/truth/own_status.h"

namespace truth {
namespace {

constexpr unsigned kShmLocked = 02000;

std::string PathOf(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

bool HasWord(const std::string& line, const std::string& wanted) {
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

bool SumLockedMappings(pid_t pid, uint64_t& sum) {
  std::ifstream smaps(PathOf(pid, "smaps"));
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
  StatusFigures figures;
  ProcTruth truth;
  if (!ReadStatusFigures(PathOf(pid, "status").c_str(), figures)) return std::nullopt;
  if (!SumLockedMappings(pid, truth.mapping_bytes)) return std::nullopt;
  truth.locked_bytes = figures.locked_bytes;
  truth.pinned_bytes = figures.pinned_bytes;
  return truth;
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
