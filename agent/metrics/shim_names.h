// SPDX-License-Identifier: Apache-2.0
// Which names of ledgers become labels: a ledger is its process's to write, so the names of
// policies, rules and arenas in it are bounded as the books of agent/state are. The others
// are one, "__other__".
#pragma once

#include <map>
#include <set>
#include <string>

#include "agent/daemon/host_view.h"

namespace pagewarden {

// Not thread-safe.
class ShimNames {
 public:
  explicit ShimNames(const HostView& view);

  const std::string& Policy(const std::string& name);
  const std::string& Rule(const std::string& policy, const std::string& name);
  const std::string& Arena(const std::string& policy, const std::string& name);

 private:
  struct Names {
    bool is_loaded = false;
    std::set<std::string> rules;
    std::set<std::string> arenas;
  };

  std::map<std::string, Names> policies_;
  size_t foreign_ = 0;
};

}  // namespace pagewarden
