// SPDX-License-Identifier: Apache-2.0
// Which policy a process gets, and why.
//
//   const Choice choice = SelectPolicy(set.policies, facts, host);
//   choice.policy                        null: none
//   choice.judgements[i].why               of set.policies[i]: "its unit is ssh.service"
//
// What is not known of a process does not fit. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/model.h"
#include "agent/policy/surroundings.h"

namespace pagewarden {

struct Judgement {
  bool fits = false;
  std::string why;  // of either; a phrase that goes behind a colon
};

// Systemd's names on a cgroup path, the outermost first. Units: services and scopes.
std::vector<std::string> SlicesOf(const std::string& cgroup);
std::vector<std::string> UnitsOf(const std::string& cgroup);

// Whether one of the patterns matches all of the text.
bool MatchesAny(const std::vector<std::string>& patterns, const std::string& text);

Judgement Fits(const ProcessSelector& selector, const Surroundings& facts);

// The same for all but matchBinaries.
Judgement FitsSurroundings(const ProcessSelector& selector, const Surroundings& facts);

// The exception that holds today for the process; null: none.
const Exception* FindException(const std::vector<Exception>& exceptions, const Surroundings& facts,
                               absl::CivilDay today);

// 0 to 99: the host has a policy whose rollout.percent is larger. By SHA-256 of
// machine-id and the policy's name; nullopt: the host has no machine-id.
std::optional<int> RolloutBucket(const std::string& machine_id, const std::string& policy);

// Whether the policy applies on the host, by its rollout.
Judgement IsRolledOut(const AllocationPolicy& policy, const HostIdentity& host);

// Selector, exceptions and rollout together.
Judgement Judge(const AllocationPolicy& policy, const Surroundings& facts,
                const HostIdentity& host);

struct Choice {
  const AllocationPolicy* policy = nullptr;
  std::vector<Judgement> judgements;  // of each policy, in their order
};

// Of those that apply, the first by ComesBefore.
Choice SelectPolicy(const std::vector<AllocationPolicy>& policies, const Surroundings& facts,
                    const HostIdentity& host);

}  // namespace pagewarden
