// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/case.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/audit/text.h"
#include "agent/reasons/amounts.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;

std::string SeccompText(const ProcessFacts& facts) {
  switch (facts.seccomp_mode) {
    case 0:
      return "seccomp off";
    case 1:
      return "seccomp strict";
    default:
      return "seccomp filter";
  }
}

std::string SecurityText(const std::string& label) {
  if (label.empty()) return "";
  const bool selinux = std::count(label.begin(), label.end(), ':') >= 2;
  return absl::StrCat(selinux ? ", SELinux " : ", AppArmor ", label);
}

}  // namespace

std::string WhereOf(const ProcessFacts& facts, const Environment& environment) {
  return absl::StrCat(Describe(environment), ", ", facts.in_initial_user_ns ? "host" : "another",
                      " user namespace, ", SeccompText(facts),
                      facts.no_new_privs ? ", no_new_privs" : "",
                      SecurityText(facts.security_label));
}

std::string EffectOf(const Case& subject) {
  const std::string amount = HumanBytes(subject.need.bytes);
  if (!subject.need.policy.empty()) {
    return absl::StrCat("policy ", subject.need.policy, ": what cannot be locked of its ", amount,
                        " in each process stays swappable");
  }
  return absl::StrCat("what the program means to lock (", amount, " asked for) stays swappable");
}

Finding FindingOf(const Case& subject, FindingCode code, std::string headline) {
  Finding finding = MakeFinding(code, subject.name, std::move(headline));
  if (subject.IsRunning()) finding.pids = {subject.facts.pid};
  finding.where = subject.where;
  finding.check = subject.check;
  finding.effect = EffectOf(subject);
  return finding;
}

Attempt Imagine(const Case& subject, LockCall call, uint64_t bytes) {
  const ProcessFacts& facts = subject.facts;
  Attempt attempt;
  attempt.call = call;
  attempt.request_bytes = bytes;
  attempt.soft_limit_bytes = facts.limits.soft;
  attempt.hard_limit_bytes = facts.limits.hard;
  attempt.cap_effective = facts.cap_effective;
  attempt.cap_permitted = facts.cap_permitted;
  attempt.cap_bounding = facts.cap_bounding;
  attempt.in_initial_user_ns = facts.in_initial_user_ns;
  attempt.seccomp_mode = facts.seccomp_mode;
  attempt.max_map_count = facts.max_map_count;
  attempt.uid_shm_locked_bytes = facts.shm_locked_bytes;
  if (!subject.IsRunning()) return attempt;  // a new address space: nothing locked, no limit near
  attempt.locked_bytes = facts.locked_bytes;
  attempt.pinned_bytes = facts.pinned_bytes;
  attempt.total_bytes = facts.total_bytes;
  attempt.locked_mappings_bytes = facts.locked_mappings_bytes;
  attempt.map_count = facts.map_count;
  return attempt;
}

uint64_t RecommendedLimit(uint64_t locked_bytes, uint64_t request_bytes) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max() / 4;
  const uint64_t needed = std::min(locked_bytes, kMost) + std::min(request_bytes, kMost);
  const uint64_t with_headroom = needed + needed / 4;
  return (with_headroom + kPageBytes - 1) / kPageBytes * kPageBytes;
}

std::vector<Fix> LimitFixesOf(const Case& subject, uint64_t request_bytes, bool capability_helps) {
  LimitGoal goal;
  const uint64_t locked = subject.IsRunning() ? subject.facts.locked_bytes : 0;
  goal.bytes = RecommendedLimit(locked, request_bytes);
  if (subject.IsRunning()) goal.pid = subject.facts.pid;
  goal.command = subject.command;
  // A file that is setuid or has capabilities starts without ambient ones.
  goal.capability_helps = capability_helps && subject.facts.in_initial_user_ns;
  return LimitFixes(subject.environment, goal);
}

std::string ShellQuote(absl::string_view word) {
  const auto plain = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("_-./=:,+@%^", absl::string_view(&c, 1));
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return std::string(word);
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

}  // namespace pagewarden
