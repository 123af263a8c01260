// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/units/unit_settings.h"

#include <linux/capability.h>

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/doctor/units/call_filter.h"

namespace pagewarden {
namespace {

constexpr char kService[] = "Service";
constexpr uint64_t kAllCapabilities = (uint64_t{1} << (CAP_LAST_CAP + 1)) - 1;
constexpr uint64_t kDefaultMemlock = 8 << 20;  // DefaultLimitMEMLOCK= since systemd 240

bool IsTrue(absl::string_view value) {
  const std::string word = absl::AsciiStrToLower(value);
  return word == "1" || word == "yes" || word == "true" || word == "on" || word == "y" ||
         word == "t";
}

// Sizes are to the base of 1024.
bool ParseSize(absl::string_view text, std::optional<uint64_t>& bytes) {
  if (text == "infinity") {
    bytes.reset();
    return true;
  }
  constexpr absl::string_view kSuffixes = "KMGTPE";
  uint64_t factor = 1;
  if (absl::ConsumeSuffix(&text, "B")) {
  }
  const size_t suffix = text.empty() ? absl::string_view::npos : kSuffixes.find(text.back());
  if (suffix != absl::string_view::npos) {
    factor = uint64_t{1} << (10 * (suffix + 1));
    text.remove_suffix(1);
  }
  uint64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value > std::numeric_limits<uint64_t>::max() / factor) {
    return false;
  }
  bytes = value * factor;
  return true;
}

// systemd's rules: the first list replaces, later ones add or, with ~, take away; an
// empty one resets.
uint64_t ApplyCapabilities(absl::string_view value, uint64_t initial, uint64_t current) {
  const bool inverted = absl::ConsumePrefix(&value, "~");
  const uint64_t listed = ParseCapabilities(value);
  if (listed == 0 || current == initial) {
    return inverted ? kAllCapabilities & ~listed : listed;
  }
  return inverted ? current & ~listed : current | listed;
}

void TakeLimit(const UnitSetting& setting, UnitSettings& result) {
  if (ParseUnitLimit(setting.value, result.memlock)) {
    result.memlock_source = setting.file;
  } else {
    result.problems.push_back(
        absl::StrCat(setting.file, ": ", setting.key, "=", setting.value, " is no limit"));
  }
}

void TakeCommand(absl::string_view value, UnitSettings& result) {
  while (!value.empty() && absl::StrContains("@-:+!", value.substr(0, 1))) value.remove_prefix(1);
  if (value.empty()) {
    result.command.clear();
  } else if (result.command.empty()) {
    result.command = absl::StrSplit(value, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  }
}

void Take(const UnitSetting& setting, UnitSettings& result) {
  const std::string& value = setting.value;
  if (setting.key == "LimitMEMLOCK") {
    TakeLimit(setting, result);
  } else if (setting.key == "AmbientCapabilities") {
    result.ambient = ApplyCapabilities(value, 0, result.ambient);
  } else if (setting.key == "CapabilityBoundingSet") {
    result.bounding = ApplyCapabilities(value, kAllCapabilities, result.bounding);
    result.has_bounding_set = true;
  } else if (setting.key == "ExecStart") {
    TakeCommand(value, result);
  }
}

void TakeLast(const std::vector<UnitSetting>& settings, UnitSettings& result) {
  const auto last = [&settings](absl::string_view key) {
    return LastValue(settings, kService, key);
  };
  result.no_new_privs = IsTrue(last("NoNewPrivileges"));
  result.private_users = IsTrue(last("PrivateUsers"));
  result.user =
      IsTrue(last("DynamicUser")) && last("User").empty() ? "a dynamic user" : last("User");
  ParseSize(last("MemoryMax"), result.memory_max);
  std::optional<uint64_t> swap;
  result.swap_off = ParseSize(last("MemorySwapMax"), swap) && swap == uint64_t{0};
  MemlockLimits core;
  result.core_off = ParseUnitLimit(last("LimitCORE"), core) && core.soft == uint64_t{0};
}

}  // namespace

bool UnitSettings::HasIpcLock() const {
  constexpr uint64_t kBit = uint64_t{1} << CAP_IPC_LOCK;
  return (bounding & kBit) != 0 && (IsRoot() || (ambient & kBit) != 0);
}

bool ParseUnitLimit(absl::string_view text, MemlockLimits& limits) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  MemlockLimits parsed;
  if (text.empty() || !ParseSize(parts.first, parsed.soft)) return false;
  parsed.hard = parsed.soft;
  if (absl::StrContains(text, ':') && !ParseSize(parts.second, parsed.hard)) return false;
  limits = parsed;
  return true;
}

UnitSettings ReadUnitSettings(const std::string& root, const UnitFile& unit) {
  UnitSettings result;
  result.memlock = {kDefaultMemlock, kDefaultMemlock};
  result.memlock_source = "the default of systemd";
  const std::string of_manager =
      LastValue(LoadManagerConfiguration(root, "system.conf"), "Manager", "DefaultLimitMEMLOCK");
  if (ParseUnitLimit(of_manager, result.memlock)) result.memlock_source = "DefaultLimitMEMLOCK=";
  result.bounding = kAllCapabilities;
  for (const UnitSetting& setting : unit.settings) {
    if (setting.section == kService) Take(setting, result);
  }
  TakeLast(unit.settings, result);
  result.filter = FilterOfUnit(unit.settings);
  return result;
}

}  // namespace pagewarden
