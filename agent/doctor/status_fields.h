// SPDX-License-Identifier: Apache-2.0
// The fields of /proc/PID/status (proc(5)) by name, with checked numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pagewarden {

class StatusFields {
 public:
  // Lines that have no ":\t" are left out; of equal names the first counts (the name
  // of a process cannot forge one: the kernel escapes its newlines).
  static StatusFields Parse(absl::string_view text);

  // nullopt: missing, or not of the documented form.
  std::optional<uint64_t> Hex(absl::string_view name) const;
  std::optional<uint64_t> Decimal(absl::string_view name) const;
  std::optional<uint64_t> KilobytesAsBytes(absl::string_view name) const;
  // Numbers parted by tabs or blanks: "Uid", "Gid".
  std::optional<std::vector<uint64_t>> Numbers(absl::string_view name) const;

 private:
  std::optional<absl::string_view> Find(absl::string_view name) const;

  std::map<std::string, std::string, std::less<>> fields_;
};

}  // namespace pagewarden
