// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/scanner.h"

#include <algorithm>

namespace pagewarden {
namespace {

// The longest run of `needle` that holds its byte `offset` at memory[at].
Fragment Extend(ByteView memory, size_t at, ByteView needle, size_t offset) {
  size_t before = 0;
  const size_t max_before = std::min(at, offset);
  while (before < max_before && memory[at - before - 1] == needle[offset - before - 1]) ++before;
  size_t after = 0;
  const size_t max_after = std::min(memory.size() - at, needle.size() - offset);
  while (after < max_after && memory[at + after] == needle[offset + after]) ++after;
  return {0, static_cast<uint32_t>(offset - before), static_cast<uint32_t>(before + after),
          at - before};
}

// A needle's latest run, so that its other windows need no second comparison.
struct Latest {
  uint64_t base = 0;
  uint64_t end = 0;
};

}  // namespace

Scanner::Scanner(const NeedleSet& needles) : needles_(needles) {
  for (uint32_t i = 0; i < needles.size(); ++i) {
    const Needle& needle = needles[i];
    if (needle.min_run >= long_runs_.kSureRun) {
      long_runs_.Add(i, needles.Bytes(needle));
    } else {
      short_runs_.Add(i, needles.Bytes(needle));
    }
  }
}

void Scanner::Scan(ByteView memory, uint64_t address, std::vector<Fragment>& fragments) const {
  std::vector<Latest> latest(needles_.size());
  const auto probe = [&](size_t at, uint32_t index, uint32_t offset) {
    Latest& seen = latest[index];
    if (address + at < seen.end && address + at - offset == seen.base) return;
    const Needle& needle = needles_[index];
    Fragment run = Extend(memory, at, needles_.Bytes(needle), offset);
    if (run.bytes < needle.min_run) return;
    run.needle = index;
    run.address += address;
    seen = {run.address - run.offset, run.address + run.bytes};
    fragments.push_back(run);
  };
  if (!long_runs_.empty()) long_runs_.Scan(memory, probe);
  if (!short_runs_.empty()) short_runs_.Scan(memory, probe);
}

}  // namespace pagewarden
