// SPDX-License-Identifier: Apache-2.0
#include "agent/state/process_books.h"

#include <algorithm>
#include <utility>

#include "agent/proof/process_stat.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxProcesses = 1 << 16;
// A process whose ledger could not be read once is not a new one the next time.
constexpr int kMaxMissed = 60;

RuleBook& RuleBookOf(const std::string& name, size_t most, PolicyBook& policy) {
  const bool full = policy.rules.size() >= most && policy.rules.count(name) == 0;
  return policy.rules[full ? kOtherName : name];
}

PolicyBook CountsOf(const ShimState& shim) {
  PolicyBook counts;
  for (size_t i = 0; i < counts.violations.size(); ++i) {
    AddCount(shim.violations[i], counts.violations[i]);
  }
  for (const ShimTag& tag : shim.tags) {
    RuleBook& rule = counts.rules[tag.name];
    AddCount(tag.total_allocations, rule.allocations);
    AddCount(tag.total_allocations - std::min(tag.live_allocations, tag.total_allocations),
             rule.frees);
    for (size_t i = 0; i < tag.fallbacks.size(); ++i) {
      AddCount(tag.fallbacks[i], counts.fallbacks[i]);
    }
  }
  return counts;
}

// Calls `act`(count of a, count of b) for all counts that a has.
template <typename A, typename B, typename Act>
void ForEach(A& a, B& b, Act act) {
  for (auto& [name, rule] : a.rules) {
    auto& other = b.rules[name];
    act(rule.allocations, other.allocations);
    act(rule.frees, other.frees);
  }
  for (size_t i = 0; i < a.fallbacks.size(); ++i) act(a.fallbacks[i], b.fallbacks[i]);
  for (size_t i = 0; i < a.violations.size(); ++i) act(a.violations[i], b.violations[i]);
}

bool HasGoneDown(const PolicyBook& before, const PolicyBook& now) {
  PolicyBook copy = now;
  bool down = false;
  ForEach(before, copy, [&](uint64_t old, uint64_t count) { down = down || count < old; });
  return down;
}

// The one that `pid` was forked from: its parent, or any with its ledger at the same
// address, which is chosen at random for each program.
const ProcessBook* RelativeOf(pid_t pid, const ProcessBook& book, const ProcessBooks& processes) {
  const auto is_relative = [&](const ProcessBook& other) {
    return other.ledger == book.ledger && other.policy == book.policy;
  };
  const auto stat = ReadProcessStat(pid);
  const auto parent = stat.ok() ? processes.find(stat->parent) : processes.end();
  if (parent != processes.end() && is_relative(parent->second)) return &parent->second;
  for (const auto& [other_pid, other] : processes) {
    if (other_pid != pid && is_relative(other)) return &other;
  }
  return nullptr;
}

// What of the ledger's counts is counted already.
PolicyBook CountedBefore(pid_t pid, const ProcessBook& book, const ProcessBooks& processes) {
  const auto before = processes.find(pid);
  const bool is_same = before != processes.end() &&
                       before->second.start_time_ns == book.start_time_ns &&
                       before->second.exec_id == book.exec_id &&
                       before->second.ledger == book.ledger && before->second.policy == book.policy;
  if (is_same) {
    return HasGoneDown(before->second.counts, book.counts) ? PolicyBook() : before->second.counts;
  }
  const ProcessBook* const relative = RelativeOf(pid, book, processes);
  return relative == nullptr ? PolicyBook() : relative->counts;
}

// Whether `sums` have changed.
bool AddBeyond(const PolicyBook& counts, PolicyBook before, size_t most_rules, PolicyBook& sums) {
  bool changed = false;
  const auto add = [&](uint64_t count, uint64_t old, uint64_t& sum) {
    if (count <= old || sum >= kMaxCount) return;
    AddCount(count - old, sum);
    changed = true;
  };
  for (const auto& [name, rule] : counts.rules) {
    const RuleBook old = before.rules[name];
    RuleBook& sum = RuleBookOf(name, most_rules, sums);
    add(rule.allocations, old.allocations, sum.allocations);
    add(rule.frees, old.frees, sum.frees);
  }
  for (size_t i = 0; i < counts.fallbacks.size(); ++i) {
    add(counts.fallbacks[i], before.fallbacks[i], sums.fallbacks[i]);
  }
  for (size_t i = 0; i < counts.violations.size(); ++i) {
    add(counts.violations[i], before.violations[i], sums.violations[i]);
  }
  return changed;
}

}  // namespace

void AddCount(uint64_t count, uint64_t& sum) {
  sum = std::min(kMaxCount, std::min(count, kMaxCount) + std::min(sum, kMaxCount));
}

PolicyBook& PolicyBookOf(const std::string& name, const PolicyNames& loaded,
                         std::map<std::string, PolicyBook>& policies) {
  if (loaded.count(name) > 0 || policies.count(name) > 0) return policies[name];
  const auto foreign = std::count_if(policies.begin(), policies.end(), [&](const auto& policy) {
    return loaded.count(policy.first) == 0;
  });
  return policies[static_cast<size_t>(foreign) < kMaxForeignPolicies ? name : kOtherName];
}

void AddLedgers(const AuditReport& report, ProcessBooks& processes, const PolicyNames& loaded,
                std::map<std::string, PolicyBook>& policies, std::vector<std::string>& changed) {
  ProcessBooks now;
  for (const CgroupRow& cgroup : report.cgroups) {
    for (const ProcessRow& row : cgroup.processes) {
      if (!row.shim || row.shim->policy.empty() || now.size() >= kMaxProcesses) continue;
      ProcessBook book = {row.start_time_ns, row.exec_id,         row.shim->address,
                          row.shim->policy,  CountsOf(*row.shim), 0};
      const size_t most_rules = loaded.count(book.policy) > 0 ? kMaxRules : kMaxRulesOfForeign;
      if (AddBeyond(book.counts, CountedBefore(row.pid, book, processes), most_rules,
                    PolicyBookOf(book.policy, loaded, policies))) {
        changed.push_back(book.policy);
      }
      now[row.pid] = std::move(book);
    }
  }
  for (auto& [pid, book] : processes) {
    if (now.count(pid) == 0 && now.size() < kMaxProcesses && ++book.missed <= kMaxMissed) {
      now[pid] = std::move(book);
    }
  }
  processes = std::move(now);
}

void RaiseTo(const PolicyBook& floor, PolicyBook& book) {
  ForEach(floor, book, [](uint64_t least, uint64_t& count) { count = std::max(count, least); });
  book.guard_hits = std::max(book.guard_hits, floor.guard_hits);
}

}  // namespace pagewarden
