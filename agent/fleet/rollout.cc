// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/rollout.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace pagewarden {
namespace {

using HashCounts = std::map<std::string, double>;

struct PolicyHolders {
  std::map<std::tuple<std::string, std::string, std::string>, uint64_t> versions;
  std::map<std::string, std::set<size_t>> by_hash;
};

std::map<std::string, PolicyHolders> HoldersOf(const std::vector<QuerySample>& samples,
                                               HostTable& hosts) {
  std::map<std::string, PolicyHolders> result;
  for (const QuerySample& sample : samples) {
    const auto label = [&sample](const char* name) { return std::string(sample.labels.Get(name)); };
    PolicyHolders& holders = result[label("policy")];
    ++holders.versions[{label("hash"), label("mode"), label("version")}];
    holders.by_hash[label("hash")].insert(hosts.IndexOf(sample.labels));
  }
  return result;
}

// The hash with the highest count; empty: none, or a draw.
std::string Winner(const HashCounts& counts) {
  std::string winner;
  double highest = 0;
  bool draw = false;
  for (const auto& [hash, count] : counts) {
    draw = count == highest || (draw && count < highest);
    if (count <= highest) continue;
    highest = count;
    winner = hash;
    draw = false;
  }
  return draw ? "" : winner;
}

HashCounts Sizes(const PolicyHolders& holders) {
  HashCounts result;
  for (const auto& [hash, hosts] : holders.by_hash) result[hash] = hosts.size();
  return result;
}

PolicyRollout RolloutOfPolicy(const std::string& name, const PolicyHolders& holders,
                              const std::map<std::string, HashCounts>& switches,
                              const std::vector<std::string>& ages) {
  PolicyRollout rollout;
  rollout.policy = name;
  rollout.current_hash = Winner(Sizes(holders));
  const auto found = std::find_if(ages.begin(), ages.end(), [&switches](const std::string& age) {
    const auto counts = switches.find(age);
    return counts != switches.end() && !Winner(counts->second).empty();
  });
  if (found != ages.end() && holders.by_hash.size() > 1) {
    rollout.current_hash = Winner(switches.at(*found));
    rollout.moving = found == ages.begin();
  }
  for (const auto& [version, hosts] : holders.versions) {
    const auto& [hash, mode, api] = version;
    rollout.versions.push_back({hash, mode, api, hosts, hash == rollout.current_hash});
  }
  std::stable_sort(rollout.versions.begin(), rollout.versions.end(),
                   [](const auto& a, const auto& b) { return a.hosts > b.hosts; });
  for (const auto& [hash, hosts] : holders.by_hash) {
    if (rollout.current_hash.empty() || hash == rollout.current_hash) continue;
    rollout.behind.insert(rollout.behind.end(), hosts.begin(), hosts.end());
  }
  std::sort(rollout.behind.begin(), rollout.behind.end());
  return rollout;
}

}  // namespace

std::vector<PolicyRollout> RolloutOf(const std::vector<QuerySample>& policies,
                                     const std::vector<QuerySample>& switches,
                                     const std::vector<std::string>& ages, HostTable& hosts) {
  std::map<std::string, std::map<std::string, HashCounts>> switched;  // by policy, then age
  for (const QuerySample& sample : switches) {
    const SampleLabels& labels = sample.labels;
    switched[std::string(labels.Get("policy"))][std::string(labels.Get("what"))]
            [std::string(labels.Get("hash"))] += sample.value;
  }
  std::vector<PolicyRollout> result;
  for (const auto& [name, holders] : HoldersOf(policies, hosts)) {
    result.push_back(RolloutOfPolicy(name, holders, switched[name], ages));
  }
  return result;
}

}  // namespace pagewarden
