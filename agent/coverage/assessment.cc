// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/assessment.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"
#include "agent/coverage/live_generation.h"
#include "agent/coverage/reasons.h"
#include "agent/policy/effective_mode.h"
#include "agent/policy/image.h"
#include "agent/reasons/amounts.h"

namespace pagewarden {
namespace {

Assessment For(const char* word, std::string detail = "") {
  const CoverageReason* const reason = FindCoverageReason(word);
  return {reason == nullptr ? CoverageState::kUncovered : reason->state, word, std::move(detail)};
}

std::string LastError(int error) {
  const char* const name = strerrorname_np(error);
  return error == 0 || name == nullptr ? "" : absl::StrCat(" (the last error is ", name, ")");
}

// Of what is to be locked in this process: an arena that is not passed on is not.
Assessment AssessLocks(const ShimState& shim) {
  uint64_t wanted = shim.pinned_bytes + shim.unpinned_bytes;
  uint64_t locked = shim.pinned_bytes;
  for (const ShimArena& arena : shim.arenas) {
    if (!arena.IsInherited()) continue;
    wanted += arena.capacity_bytes;
    locked += arena.locked_bytes;
  }
  if (locked >= wanted) return {};
  const std::string error = LastError(shim.lock_errno != 0 ? shim.lock_errno : shim.pin_errno);
  if (locked == 0)
    return For("lock_failed",
               absl::StrCat("has the shim, which could lock none of ", Amount(wanted), error));
  return For("partly_locked", absl::StrCat("has the shim, which locked ", Amount(locked), " of ",
                                           Amount(wanted), error));
}

// Of an image that never changes: whether it has the rules that the policy has by now.
bool HasSameRules(const ShimState& shim, const AllocationPolicy& policy) {
  std::vector<std::string> names;
  for (const ShimTag& tag : shim.tags) {
    if (tag.is_rule) names.push_back(tag.name);
  }
  const std::vector<std::string> wanted = RuleNamesOf(policy);
  if (names.size() != wanted.size()) return false;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!absl::StartsWith(wanted[i], names[i])) return false;  // the ledger cuts long ones
  }
  return true;
}

Assessment AssessPolicy(const ShimState& shim, const AllocationPolicy& policy, uint32_t newest) {
  if (newest == kNoMoreGenerations) {
    return For("needs_restart", "follows a policy image that is full and gets no newer policies");
  }
  if (shim.generation != 0 && newest != 0 && shim.generation != newest) {
    return For("stale_policy",
               absl::StrCat("follows at its next tagged allocation, hooked call, or file that it "
                            "opens or closes, and has generation ",
                            shim.generation, " of ", newest, " until then"));
  }
  if (shim.rules_waiting > 0) {
    return For("needs_restart", absl::StrCat("has ", shim.rules_waiting,
                                             shim.rules_waiting == 1 ? " rule" : " rules",
                                             " that only a restart brings into force"));
  }
  if (shim.mode != ModeWord(policy.spec.mode)) {
    return For("mode_differs", absl::StrCat("runs in mode ", shim.mode, ", and the policy has ",
                                            ModeWord(policy.spec.mode)));
  }
  if (shim.generation == 0 && !HasSameRules(shim, policy)) {
    return For("needs_restart", "has other rules than the policy by now, in an image of its own");
  }
  return {};
}

// Of a program that no loader brings the shim into.
Assessment AssessExecutable(const LaunchFacts& facts) {
  const std::optional<ElfSummary>& elf = facts.executable->elf;
  if (!elf) return {};
  if (!elf->is_host_machine) {
    return For("wrong_class", elf->is_64_bit ? "is a program for another machine"
                                             : "is a 32-bit program, and the shim is for 64 bit");
  }
  if (!elf->has_interpreter) {
    return For("static", absl::StrCat("is a static ", elf->is_go ? "Go " : "",
                                      "executable, and nothing can be preloaded into it"));
  }
  if (IsSupportedLoader(elf->interpreter)) return {};
  return For("libc", absl::StrCat("is started by ", Printable(elf->interpreter),
                                  ", a loader that is neither glibc's nor musl's"));
}

Assessment AssessSecureExecution(const LaunchFacts& facts) {
  const std::string why = WhyPrivileged(facts.executable->privileges);
  return For("secure_exec",
             absl::StrCat("runs in secure-execution mode (", why.empty() ? "AT_SECURE is set" : why,
                          "), and the loader ignores LD_PRELOAD"));
}

Assessment NotLoaded(const LaunchFacts& facts) {
  return For("not_loaded", facts.why_not_mapped.empty()
                               ? "was told to preload the shim, and has it not: the loader said "
                                 "why on its stderr"
                               : absl::StrCat("was told to preload the shim, and has it not: ",
                                              facts.why_not_mapped));
}

std::string Clock(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace

Assessment AssessShim(const ShimState& shim, const AllocationPolicy& policy, uint32_t newest) {
  if (!shim.uncovered.empty()) {
    if (shim.uncovered == "lock_failed") {
      return For("lock_failed", absl::StrCat("has the shim, which could lock nothing",
                                             LastError(shim.lock_errno)));
    }
    return For(shim.uncovered.c_str());
  }
  if (!shim.active) return For("no_policy");
  if (shim.policy != policy.metadata.name) {
    return For("other_policy", absl::StrCat("has the shim, under the policy ", shim.policy));
  }
  const Assessment locks = shim.mode == "Enforce" ? AssessLocks(shim) : Assessment{};
  return locks.reason.empty() ? AssessPolicy(shim, policy, newest) : locks;
}

Assessment AssessWithoutShim(const LaunchFacts& facts, absl::Time started, absl::Time since,
                             absl::Time now) {
  Assessment executable = AssessExecutable(facts);
  if (!executable.reason.empty()) return executable;
  if (facts.secure_execution == true) return AssessSecureExecution(facts);
  if (now - started < kStartTakes) return For("starting");
  if (!facts.preload) return For("unreadable");
  if (!facts.preload->empty()) return NotLoaded(facts);
  if (!facts.system_preload.empty() && started >= facts.system_preload_since) {
    return NotLoaded(facts);
  }
  if (!facts.system_preload.empty()) since = std::max(since, facts.system_preload_since);
  if (started < since) {
    return For("started_before", absl::StrCat("started at ", Clock(started),
                                              ", before the policy came into force at ",
                                              Clock(since), ", and has no shim"));
  }
  return For("not_preloaded");
}

}  // namespace pagewarden
