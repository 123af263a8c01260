// SPDX-License-Identifier: Apache-2.0
// What the agent knows of its host and of itself, for those who ask over the socket.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/daemon/host_view.h"
#include "agent/daemon/privileges.h"

namespace pagewarden {

// Of the agent itself.
struct AgentFacts {
  pid_t pid = 0;
  absl::Duration interval;
  std::string cgroup;                        // that it is restricted to; empty: none
  std::vector<std::string> policy_dirs;      // in the order of precedence, the lowest first
  std::string presets;                       // directory of the shipped ones
  std::vector<std::string> policy_warnings;  // "FILE:LINE:COL: text [code]"
  AgentPrivileges privileges;
  std::vector<HookReport> hooks;  // of audits and of events
  std::vector<std::string> gaps;  // what it cannot see, "<what> : <why>"
  uint64_t last_event = 0;        // sequence number
};

struct AgentView {
  HostView host;
  AgentFacts agent;
  absl::Time audited;  // SteadyNow(), once the audit was made
};

// The latest view, from the loop to the servers. Thread-safe.
class ViewBoard {
 public:
  void Publish(std::shared_ptr<const AgentView> view) {
    absl::MutexLock lock(&mutex_);
    view_ = std::move(view);
  }

  // Null before the first audit.
  std::shared_ptr<const AgentView> Latest() const {
    absl::MutexLock lock(&mutex_);
    return view_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const AgentView> view_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewarden
