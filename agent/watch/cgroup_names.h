// SPDX-License-Identifier: Apache-2.0
// Paths of cgroups by id, of removed ones too until their last event is out
// (bpf/cgroup_names).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/bpf/hook_report.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

class CgroupNames {
 public:
  // Walks the hierarchy once. `hierarchy` must outlive this; nullptr: there is none,
  // and every path is empty. Without a hook, cgroups that are gone by the time they
  // are asked for have no name.
  static CgroupNames Open(const CgroupHierarchy* hierarchy);
  CgroupNames(CgroupNames&&) noexcept;
  CgroupNames& operator=(CgroupNames&&) noexcept;
  ~CgroupNames();

  // "/system.slice/nginx.service"; empty: not known. Walks again for an id that the
  // hook did not tell, once a second at most. Not thread-safe.
  std::string PathOf(uint64_t id);
  // Whether it is there now, as far as the hook tells.
  bool IsThere(uint64_t id) const;

  // Reads what the hook told. The events taken so far are out: names of cgroups that
  // were removed two calls ago are forgotten.
  void Refresh();

  HookReport Report() const;

 private:
  struct State;
  explicit CgroupNames(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
