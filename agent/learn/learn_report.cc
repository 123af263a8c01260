// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/learn_report.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/audit/text.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

std::string Count(uint64_t count, const char* one, const char* many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

bool IsHeap(const FoundCopy& copy) {
  return copy.kind == PlaceKind::kArena || copy.kind == PlaceKind::kHeap ||
         copy.kind == PlaceKind::kFreedChunk;
}

std::string CopiesLine(const VerifyResult& result) {
  const auto count = [&](auto is) {
    return static_cast<uint64_t>(std::count_if(result.copies.begin(), result.copies.end(), is));
  };
  const uint64_t fenced = count([](const FoundCopy& copy) { return copy.fenced; });
  const uint64_t pinned = count([](const FoundCopy& copy) { return !copy.fenced && copy.locked; });
  const uint64_t heap = count(IsHeap);
  const uint64_t heap_fenced =
      count([](const FoundCopy& copy) { return IsHeap(copy) && copy.fenced; });
  return absl::StrCat("under the learned policy: ", fenced, " of ",
                      Count(result.copies.size(), "copy", "copies"), " fenced, ", pinned,
                      " locked in place; of the heap's, ", heap_fenced, " of ", heap);
}

std::string MovedText(const char* when, const AllocationCount& count) {
  return absl::StrFormat("%s %d of %d allocations moved (%.3f %%)", when, count.moved,
                         count.moved + count.passed, 100 * count.MovedShare());
}

std::string LimitText(const std::optional<uint64_t>& limit) {
  return limit.has_value() ? absl::StrCat(*limit / 1024, " KiB") : "unlimited";
}

std::string ArenaLine(const LearnResult& result) {
  const auto limits = ReadMemlockLimits(getpid());
  return absl::StrCat(
      "the arena locks ", result.policy.capacity_bytes / 1024, " KiB in each process (peak ",
      result.proof.figures.peak_arena_bytes / 1024,
      " KiB); RLIMIT_MEMLOCK here: ", limits.ok() ? LimitText(limits->hard) : "unknown");
}

// Copies of the second run that are neither fenced nor locked, by where they are.
std::vector<std::string> StillOpen(const VerifyResult& result) {
  std::map<std::string, uint64_t> places;
  for (const FoundCopy& copy : result.copies) {
    if (copy.fenced || copy.locked) continue;
    ++places[absl::StrCat(PlaceKindName(copy.kind), " memory (", Printable(copy.mapping), ")")];
  }
  std::vector<std::string> lines;
  for (const auto& [place, copies] : places) {
    lines.push_back(absl::StrCat("not fenced: ", Count(copies, "copy", "copies"), " in ", place));
  }
  return lines;
}

}  // namespace

std::string RecordedLine(const WatchedRun& run) {
  const VerifyResult& result = run.result;
  const auto fenced = std::count_if(result.copies.begin(), result.copies.end(),
                                    [](const FoundCopy& copy) { return copy.fenced; });
  uint64_t live = 0;
  uint64_t stale = 0;
  for (const StackEvidence& stack : run.evidence.stacks) {
    live += stack.live;
    stale += stack.stale;
  }
  uint64_t pools = 0;
  for (const auto& [module, pool] : run.evidence.mapping_modules) pools += pool.copies;
  return absl::StrCat("recorded ", Count(result.processes.size(), "process", "processes"), ", ",
                      Count(result.copies.size(), "copy", "copies"), ": ", fenced,
                      " fenced by presets, ", live, " in heap blocks, ", pools,
                      " in mappings; and ", Count(stale, "block", "blocks"),
                      " with a copy were freed");
}

std::vector<std::string> ProofLines(const LearnResult& result) {
  const RunFigures& figures = result.proof.figures;
  std::vector<std::string> lines = {CopiesLine(result.proof.result)};
  std::string moved = MovedText("since the start", figures.all);
  if (figures.in_workload.moved + figures.in_workload.passed > 0) {
    absl::StrAppend(&moved, "; ", MovedText("in the workload", figures.in_workload));
  }
  lines.push_back(std::move(moved));
  lines.push_back(ArenaLine(result));
  for (const std::string& line : figures.uncovered) lines.push_back(line);
  for (const std::string& line : result.left) {
    lines.push_back(absl::StrCat("not covered: ", Printable(line)));
  }
  for (std::string& line : StillOpen(result.proof.result)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace pagewarden
