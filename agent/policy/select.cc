// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/select.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "preload/abi/cgroup_path.h"
#include "preload/abi/pattern.h"

namespace pagewarden {

bool MatchesAny(const std::vector<std::string>& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return MatchesPattern(pattern.c_str(), text.c_str());
  });
}

namespace {

// The first of `names` that a pattern matches; empty: none.
std::string FirstMatch(const std::vector<std::string>& patterns,
                       const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (MatchesAny(patterns, name)) return name;
  }
  return "";
}

// For the walks of cgroup_path.h: keeps all.
auto CollectTo(std::vector<std::string>& names) {
  return [&names](const char* text, size_t bytes) {
    names.emplace_back(text, bytes);
    return false;
  };
}

std::vector<std::string> SelfAndAbove(const std::string& cgroup) {
  std::vector<std::string> paths;
  AnySelfOrAbove(cgroup.c_str(), CollectTo(paths));
  return paths;
}

// One key of a selector, fitted to what the process has of its kind.
void FitNames(const std::vector<std::string>& patterns, const std::vector<std::string>& names,
              absl::string_view what, Judgement& judgement) {
  if (patterns.empty() || !judgement.fits) return;
  const std::string match = FirstMatch(patterns, names);
  if (!match.empty()) {
    absl::StrAppend(&judgement.why, judgement.why.empty() ? "" : ", ", what, " ", match);
    return;
  }
  judgement.fits = false;
  judgement.why = names.empty() ? absl::StrCat("it is in no ", what)
                                : absl::StrCat("its ", what, " is ", names.back(), ", not ",
                                               absl::StrJoin(patterns, " or "));
}

void FitPod(const ProcessSelector& selector, const Surroundings& facts, Judgement& judgement) {
  if (!judgement.fits || (!selector.namespaces.has_value() && !selector.pods.has_value())) return;
  if (!facts.pod.has_value()) {
    judgement = {false, "it is in no pod that this host knows of"};
    return;
  }
  if (selector.namespaces.has_value()) {
    FitNames(selector.namespaces->match_names, {facts.pod->kube_namespace}, "namespace", judgement);
  }
  if (!judgement.fits || !selector.pods.has_value()) return;
  if (!facts.pod->labels.has_value()) {
    judgement = {false, "the labels of its pod are not known on this host"};
    return;
  }
  for (const auto& [key, value] : selector.pods->match_labels) {
    const auto label = facts.pod->labels->find(key);
    if (label != facts.pod->labels->end() && label->second == value) continue;
    judgement = {false, absl::StrCat("its pod has no label ", key, ": ", value)};
    return;
  }
  absl::StrAppend(&judgement.why, judgement.why.empty() ? "" : ", ", "labels of its pod");
}

}  // namespace

std::vector<std::string> SlicesOf(const std::string& cgroup) {
  std::vector<std::string> names;
  AnySlice(cgroup.c_str(), CollectTo(names));
  return names;
}

std::vector<std::string> UnitsOf(const std::string& cgroup) {
  std::vector<std::string> names;
  AnyUnit(cgroup.c_str(), CollectTo(names));
  return names;
}

Judgement FitsSurroundings(const ProcessSelector& selector, const Surroundings& facts) {
  if (!selector.AsksForCgroup()) return {true, ""};
  if (!facts.cgroup.has_value()) return {false, "its cgroup is not known"};
  Judgement judgement{true, ""};
  FitNames(selector.match_units, UnitsOf(*facts.cgroup), "unit", judgement);
  FitNames(selector.match_slices, SlicesOf(*facts.cgroup), "slice", judgement);
  if (!selector.match_cgroups.empty() && judgement.fits &&
      FirstMatch(selector.match_cgroups, SelfAndAbove(*facts.cgroup)).empty()) {
    return {false, absl::StrCat("its cgroup is ", *facts.cgroup, ", not ",
                                absl::StrJoin(selector.match_cgroups, " or "))};
  }
  FitNames(selector.match_cgroups, SelfAndAbove(*facts.cgroup), "cgroup", judgement);
  FitPod(selector, facts, judgement);
  return judgement;
}

Judgement Fits(const ProcessSelector& selector, const Surroundings& facts) {
  const std::vector<std::string>& binaries = selector.match_binaries;
  if (!binaries.empty() &&
      std::find(binaries.begin(), binaries.end(), facts.executable) == binaries.end()) {
    return {false,
            facts.executable.empty() ? "its program is not known" : "it is for other programs"};
  }
  const Judgement around = FitsSurroundings(selector, facts);
  if (!around.fits) return around;
  std::vector<std::string> reasons;
  if (!binaries.empty()) reasons.push_back("its path");
  if (!around.why.empty()) reasons.push_back(around.why);
  if (reasons.empty()) return {true, "selects every process"};
  return {true, absl::StrCat("selects ", absl::StrJoin(reasons, ", "))};
}

const Exception* FindException(const std::vector<Exception>& exceptions, const Surroundings& facts,
                               absl::CivilDay today) {
  for (const Exception& exception : exceptions) {
    if (exception.expires >= today && Fits(exception, facts).fits) return &exception;
  }
  return nullptr;
}

std::optional<int> RolloutBucket(const std::string& machine_id, const std::string& policy) {
  if (machine_id.empty()) return std::nullopt;
  const std::string text = absl::StrCat(machine_id, ":", policy);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &bytes, EVP_sha256(), nullptr) != 1 || bytes < 4)
    return std::nullopt;
  const uint32_t number =
      uint32_t{digest[0]} << 24 | uint32_t{digest[1]} << 16 | uint32_t{digest[2]} << 8 | digest[3];
  return static_cast<int>(number % 100);
}

Judgement IsRolledOut(const AllocationPolicy& policy, const HostIdentity& host) {
  const int32_t percent = policy.spec.rollout.percent;
  if (percent >= 100) return {true, ""};
  const std::optional<int> bucket = RolloutBucket(host.machine_id, policy.metadata.name);
  if (!bucket.has_value()) {
    return {false, absl::StrCat("rolled out to ", percent, " %, and this host has no machine-id")};
  }
  return {*bucket < percent, absl::StrCat("rolled out to ", percent, " %, and this host is at ",
                                          *bucket, " of 0 to 99")};
}

Judgement Judge(const AllocationPolicy& policy, const Surroundings& facts,
                const HostIdentity& host) {
  Judgement judgement = Fits(policy.spec.selector, facts);
  if (!judgement.fits) return judgement;
  const Exception* exception = FindException(policy.spec.exceptions, facts, host.today);
  if (exception != nullptr) {
    return {false, absl::StrCat("an exception until ", absl::FormatCivilTime(exception->expires),
                                ": ", exception->reason)};
  }
  const Judgement rollout = IsRolledOut(policy, host);
  if (!rollout.fits) return rollout;
  if (!rollout.why.empty()) absl::StrAppend(&judgement.why, "; ", rollout.why);
  return judgement;
}

Choice SelectPolicy(const std::vector<AllocationPolicy>& policies, const Surroundings& facts,
                    const HostIdentity& host) {
  Choice choice;
  for (const AllocationPolicy& policy : policies) {
    choice.judgements.push_back(Judge(policy, facts, host));
    if (!choice.judgements.back().fits) continue;
    if (choice.policy == nullptr || ComesBefore(policy, *choice.policy)) choice.policy = &policy;
  }
  return choice;
}

}  // namespace pagewarden
