// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/protections.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

constexpr char kYes[] = "yes   ";
constexpr char kNo[] = "no    ";

std::string Line(bool in_force, const std::string& text) {
  return absl::StrCat(in_force ? kYes : kNo, text);
}

std::string SwapText(const HostFacts& host) {
  if (!host.swap) return "the host's swap is encrypted: /proc/swaps cannot be read";
  if (host.swap->empty()) return "the host has no swap";
  return "the host's swap is encrypted, or in memory only";
}

void AddSwap(const Case& subject, Finding& finding) {
  const MemoryBudget& memory = subject.facts.memory;
  const bool safe = subject.host.SwapIsSafe();
  finding.in_force.push_back(Line(safe, SwapText(subject.host)));
  finding.in_force.push_back(
      Line(memory.swap_off,
           memory.swap_file.empty()
               ? "its cgroup is never swapped out: the kernel has no switch for it"
               : absl::StrCat("its cgroup is never swapped out (", memory.swap_file, ")")));
  if (memory.swap_off) return;
  if (subject.environment.kind == EnvironmentKind::kService) {
    finding.fixes.push_back(UnitDropIn(subject.environment, "50-no-swap.conf",
                                       "MemorySwapMax=0\nLimitCORE=0\n",
                                       "keep the unit's memory out of swap and core dumps"));
  } else if (!memory.swap_file.empty()) {
    finding.fixes.push_back(
        {"keep its cgroup's memory out of swap",
         "",
         "",
         {absl::StrCat("echo ", memory.swap_value, " > ", ShellQuote(memory.swap_file))}});
  }
  if (!safe && subject.host.swap) {
    finding.fixes.push_back(
        {"or encrypt the host's swap areas: pagewarden doctor says which", "", "", {}});
  }
}

bool IsPiped(const HostFacts& host) { return absl::StartsWith(host.core_pattern, "|"); }

void AddCoreDumps(const Case& subject, Finding& finding) {
  const bool dumps = DumpsCore(subject);
  const bool piped = IsPiped(subject.host);
  finding.in_force.push_back(Line(
      !dumps, piped
                  ? "it dumps no core (kernel.core_pattern hands dumps to a program)"
                  : absl::StrCat("it dumps no core (RLIMIT_CORE ",
                                 subject.facts.core.limit_bytes == 0 ? "is 0" : "is not 0", ")")));
  if (!dumps || subject.environment.kind == EnvironmentKind::kService) return;
  if (piped) {
    finding.fixes.push_back(
        {"leave its mappings out of dumps",
         "",
         "",
         {subject.IsRunning()
              ? absl::StrCat("echo 0 > /proc/", subject.facts.pid, "/coredump_filter")
              : absl::StrCat("echo 0 > /proc/self/coredump_filter; exec ", subject.command)}});
    return;
  }
  finding.fixes.push_back(
      {"no core dumps",
       "",
       "",
       {subject.IsRunning() ? absl::StrCat("prlimit --pid ", subject.facts.pid, " --core=0:0")
                            : absl::StrCat("prlimit --core=0:0 -- ", subject.command)}});
}

}  // namespace

bool DumpsCore(const HostFacts& host, const CoreDumpFacts& facts) {
  const std::string& pattern = host.core_pattern;
  if (pattern.empty()) return false;
  if (IsPiped(host)) return pattern != "|/bin/false" && !facts.filter_is_zero;
  return facts.limit_bytes != 0;
}

bool DumpsCore(const Case& subject) { return DumpsCore(subject.host, subject.facts.core); }

bool SwapsInClear(const Case& subject) {
  return !subject.host.SwapIsSafe() && !subject.facts.memory.swap_off;
}

void AddProtections(const Case& subject, Finding& finding) {
  AddSwap(subject, finding);
  AddCoreDumps(subject, finding);
}

}  // namespace pagewarden
