// SPDX-License-Identifier: Apache-2.0
// The mode that a policy has in the end: the lowest of its own, of what the operator
// allows (--max-mode, of the command and of the agent that runs), and of an override at run
// time.
//
// The override is a file with one word, so that it works without an agent:
//
//   echo Audit > /run/pagewarden/mode      nothing is moved, in what starts from now on
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

inline constexpr char kModeOverridePath[] = "/run/pagewarden/mode";
inline constexpr char kHostRuntimeDirectory[] = "/run/pagewarden";  // of the host's agent

struct ModeCaps {
  std::optional<abi::Mode> max;       // --max-mode
  std::optional<abi::Mode> agent;     // the running agent's (agent/daemon/runtime_lock.h)
  std::optional<abi::Mode> override;  // at run time
};

abi::Mode EffectiveMode(abi::Mode of_policy, const ModeCaps& caps);

// nullopt: no such file. FailedPrecondition: others may write it. InvalidArgument: not
// one of the words.
absl::StatusOr<std::optional<abi::Mode>> ReadModeOverride(
    const std::string& path = kModeOverridePath);

// "Disabled", "Audit", "Enforce".
const char* ModeWord(abi::Mode mode);
std::optional<abi::Mode> ParseMode(const std::string& word);

}  // namespace pagewarden
