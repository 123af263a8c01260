// SPDX-License-Identifier: Apache-2.0
// The policy of each process, found once for all of one program in one cgroup.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "agent/policy/select.h"

namespace pagewarden {

// Not thread-safe.
class Selection {
 public:
  // False: as before. True: what Find returned may have changed.
  bool Update(const std::shared_ptr<const PolicySet>& policies, const HostIdentity& host,
              const PodTable& pods);
  bool IsUpToDate(const std::shared_ptr<const PolicySet>& policies, absl::CivilDay today,
                  const PodTable& pods) const;

  // Null: no policy with a mode above Disabled applies. Lives as long as the set.
  const AllocationPolicy* Find(const std::string& cgroup, const std::string& executable);

 private:
  std::shared_ptr<const PolicySet> policies_;
  HostIdentity host_;
  PodTable pods_;
  absl::flat_hash_map<std::pair<std::string, std::string>, const AllocationPolicy*> known_;
};

}  // namespace pagewarden
