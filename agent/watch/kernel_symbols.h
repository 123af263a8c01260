// SPDX-License-Identifier: Apache-2.0
// Which of a few kernel functions an address lies in, from /proc/kallsyms (proc(5)).
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

class KernelSymbols {
 public:
  KernelSymbols() = default;  // knows none

  // Takes the functions named in `names`, and the parts that compilers split off them
  // ("f.isra.0", "f.cold"). Lines that are not of the documented form are skipped.
  static KernelSymbols Parse(std::istream& text, const std::vector<std::string>& names);

  // PermissionDenied: addresses are hidden (kernel.kptr_restrict; needs CAP_SYSLOG).
  static absl::StatusOr<KernelSymbols> Read(const std::vector<std::string>& names);

  // Empty: none of them.
  absl::string_view NameOf(uint64_t address) const;

 private:
  struct Function {
    uint64_t start = 0;
    uint64_t end = 0;  // where the next symbol starts
    std::string name;
  };
  std::vector<Function> functions_;
};

}  // namespace pagewarden
