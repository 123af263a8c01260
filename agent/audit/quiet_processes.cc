// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/quiet_processes.h"

#include <stddef.h>
#include <string.h>

#include <algorithm>

#include "agent/audit/findings.h"

namespace pagewarden {
namespace {

// Whether the bytes from one field up to another are the same in both.
bool AreSame(const task_record& a, const task_record& b, size_t from, size_t to) {
  const auto* const bytes = reinterpret_cast<const char*>(&a);
  const auto* const others = reinterpret_cast<const char*>(&b);
  return memcmp(bytes + from, others + from, to - from) == 0;
}

// But for how much memory it has mapped, which without locks is nobody's concern, and for
// the figures of its user, which are in the records of all the user's processes.
bool IsAsItWas(const task_record& before, const task_record& record) {
  return AreSame(before, record, 0, offsetof(task_record, total_pages)) &&
         AreSame(before, record, offsetof(task_record, executable_pages),
                 offsetof(task_record, user_locked_pages)) &&
         AreSame(before, record, offsetof(task_record, start_time_ns), sizeof(record));
}

}  // namespace

bool ShowsNothing(const ProcessRow& row) {
  if (row.locked_bytes != 0 || row.pinned_bytes != 0 || row.shim_loaded || row.reconciled) {
    return false;
  }
  return !row.locks_future.value_or(false) && !HasOddLimit(row);
}

void QuietProcesses::StartRound() {
  ++round_;
  next_ = 0;
}

bool QuietProcesses::Recall(const task_record& record, bool is_wanted) {
  while (next_ < entries_.size() && entries_[next_].record.pid < record.pid) ++next_;
  const task_record* const before = Before(record);
  if (is_wanted || before == nullptr || !IsAsItWas(*before, record)) return false;
  entries_[next_].recalled = round_;
  return true;
}

const task_record* QuietProcesses::Before(const task_record& record) const {
  if (next_ == entries_.size()) return nullptr;
  const task_record& before = entries_[next_].record;
  const bool same = before.pid == record.pid && before.start_time_ns == record.start_time_ns;
  return same ? &before : nullptr;
}

bool QuietProcesses::Contains(pid_t pid) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), static_cast<__u32>(pid),
                       [](const Entry& entry, __u32 wanted) { return entry.record.pid < wanted; });
  return found != entries_.end() && found->record.pid == static_cast<__u32>(pid) &&
         found->recalled == round_;
}

void QuietProcesses::EndRound(const std::vector<const task_record*>& more) {
  const auto is_gone = [this](const Entry& entry) { return entry.recalled != round_; };
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(), is_gone), entries_.end());
  if (more.empty()) return;
  const auto kept = static_cast<ptrdiff_t>(entries_.size());
  entries_.reserve(entries_.size() + more.size());
  for (const task_record* record : more) entries_.push_back({*record, round_});
  std::inplace_merge(entries_.begin(), entries_.begin() + kept, entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.record.pid < b.record.pid; });
}

}  // namespace pagewarden
