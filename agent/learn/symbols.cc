// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/symbols.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "agent/elf/elf_module.h"

namespace pagewarden {

const std::vector<Symbols::Function>& Symbols::Functions(const std::string& path) {
  const auto [entry, is_new] = modules_.try_emplace(path);
  std::vector<Function>& functions = entry->second;
  if (!is_new) return functions;
  const auto module = ReadElfModule(path);
  if (!module.ok()) return functions;
  for (const auto& [name, function] : module->functions) {
    functions.push_back({function.address, function.bytes, name});
  }
  // Of several names for one address, always the same.
  std::sort(functions.begin(), functions.end(), [](const Function& a, const Function& b) {
    return a.address != b.address ? a.address < b.address : a.name < b.name;
  });
  return functions;
}

std::string Symbols::NameOf(const std::string& path, uint64_t offset) {
  const std::vector<Function>& functions = Functions(path);
  auto after = std::upper_bound(functions.begin(), functions.end(), offset,
                                [](uint64_t at, const Function& f) { return at < f.address; });
  if (after != functions.begin()) {
    --after;
    // A return address may lie right behind the call that ends a function.
    if (offset - after->address <= after->bytes) return after->name;
  }
  return absl::StrFormat("%s+0x%x", path.substr(path.rfind('/') + 1), offset);
}

}  // namespace pagewarden
