// SPDX-License-Identifier: Apache-2.0
// Processes of which a repeated audit has nothing new to tell: they lock and pin nothing
// and are as they were, but for what they have mapped and what their user is charged. Most
// processes are: that is what makes it cheap.
//
//   quiet.StartRound();
//   for (const task_record& record : by_pid) if (!quiet.Recall(record, false)) MakeRow(record);
//   quiet.EndRound(records_of_rows_that_show_nothing);
#pragma once

#include <linux/types.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/audit/process_row.h"
#include "bpf/task_record.h"

namespace pagewarden {

// Whether a row tells nothing but that it is there. Those with a tiny limit have a finding.
bool ShowsNothing(const ProcessRow& row);

// Not thread-safe.
class QuietProcesses {
 public:
  void StartRound();

  // To be called in order of pids. Whether the process was quiet and has not changed; false
  // as well if it is wanted all the same.
  bool Recall(const task_record& record, bool is_wanted);

  // The process as it was when it was last quiet; null: it was not. Valid for the last
  // record that Recall was asked about, until EndRound.
  const task_record* Before(const task_record& record) const;

  // Whether Recall has said so of that pid in this round.
  bool Contains(pid_t pid) const;

  // Forgets who was not recalled and adds `more`, which are in order of pids.
  void EndRound(const std::vector<const task_record*>& more);

 private:
  struct Entry {
    task_record record;
    uint64_t recalled;  // the last round
  };

  std::vector<Entry> entries_;  // in order of pids
  size_t next_ = 0;             // the first that may be of a pid not asked about yet
  uint64_t round_ = 0;
};

}  // namespace pagewarden
