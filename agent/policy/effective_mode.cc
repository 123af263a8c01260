// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/effective_mode.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "agent/policy/modes.h"

namespace pagewarden {

abi::Mode EffectiveMode(abi::Mode of_policy, const ModeCaps& caps) {
  return std::min({of_policy, caps.max.value_or(of_policy), caps.agent.value_or(of_policy),
                   caps.override.value_or(of_policy)});
}

absl::StatusOr<std::optional<abi::Mode>> ReadModeOverride(const std::string& path) {
  constexpr size_t kMaxBytes = 64;
  const absl::StatusOr<std::string> text = ReadTrustedFile(path, kMaxBytes);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  const std::optional<abi::Mode> mode = ParseMode(std::string(absl::StripAsciiWhitespace(*text)));
  if (mode.has_value()) return mode;
  return absl::InvalidArgumentError(absl::StrCat(path, ": not one of Disabled, Audit and Enforce"));
}

const char* ModeWord(abi::Mode mode) {
  for (const Word<abi::Mode>& word : kModes) {
    if (word.value == mode) return word.text;
  }
  return "";
}

std::optional<abi::Mode> ParseMode(const std::string& word) {
  for (const Word<abi::Mode>& known : kModes) {
    if (known.text == word) return known.value;
  }
  return std::nullopt;
}

}  // namespace pagewarden
