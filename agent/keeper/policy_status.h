// SPDX-License-Identifier: Apache-2.0
// The policies in force and what became of the last attempt to change them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/policy/model.h"

namespace pagewarden {

struct LoadedPolicy {
  std::string name;
  std::string kind;  // "AllocationPolicy", "MemlockBudget"
  std::string path;  // of the file
  std::string hash;  // 12 hex digits of SHA-256 over its meaning, not its layout
  std::string mode;  // effective: "Disabled", "Audit", "Enforce"
};

struct PolicyStatus {
  // Never null. Modes are lowered to the effective ones; shared with readers of other threads.
  std::shared_ptr<const PolicySet> set = std::make_shared<PolicySet>();
  std::vector<LoadedPolicy> loaded;
  uint32_t generation = 0;  // of the live images (agent/policy/live_images.h); 0: none published
  std::string hash;         // 12 hex digits, of the whole set
  bool last_reload_ok = true;
  absl::Time last_success = absl::InfinitePast();
  absl::Time last_attempt = absl::InfinitePast();
  // Of a failed attempt: "FILE:LINE:COL: text [PW-P012]", one line each; the old set stays.
  std::vector<std::string> errors;
};

}  // namespace pagewarden
