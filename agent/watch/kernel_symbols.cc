// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/kernel_symbols.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include "agent/proc/parse.h"

namespace pagewarden {
namespace {

constexpr size_t kLongestFunction = 64 << 10;  // where no symbol follows

struct Symbol {
  uint64_t address = 0;
  absl::string_view name;
};

// "ffffffff815f00f0 t do_mlock" or, of a module, "… t ib_umem_get\t[ib_uverbs]".
std::optional<Symbol> ParseLine(absl::string_view line) {
  Symbol symbol;
  if (!ConsumeHex(line, symbol.address) || !ConsumeChar(line, ' ')) return std::nullopt;
  const absl::string_view type = ConsumeWord(line);
  if (type != "t" && type != "T") return std::nullopt;
  symbol.name = line.substr(0, line.find('\t'));
  return symbol;
}

absl::string_view WithoutSuffix(absl::string_view name) { return name.substr(0, name.find('.')); }

}  // namespace

// Line by line: the file has ten megabytes.
KernelSymbols KernelSymbols::Parse(std::istream& text, const std::vector<std::string>& names) {
  KernelSymbols result;
  std::vector<uint64_t> starts;
  std::string line;
  while (std::getline(text, line)) {
    const auto symbol = ParseLine(line);
    if (!symbol) continue;
    starts.push_back(symbol->address);
    const absl::string_view name = WithoutSuffix(symbol->name);
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    result.functions_.push_back({symbol->address, 0, std::string(name)});
  }
  std::sort(starts.begin(), starts.end());
  for (Function& function : result.functions_) {
    const auto next = std::upper_bound(starts.begin(), starts.end(), function.start);
    function.end = next == starts.end() ? function.start + kLongestFunction : *next;
  }
  return result;
}

absl::StatusOr<KernelSymbols> KernelSymbols::Read(const std::vector<std::string>& names) {
  std::ifstream text("/proc/kallsyms");
  if (!text) return absl::NotFoundError("/proc/kallsyms cannot be read");
  const KernelSymbols symbols = Parse(text, names);
  for (const Function& function : symbols.functions_) {
    if (function.start != 0) return symbols;
  }
  return absl::PermissionDeniedError("/proc/kallsyms hides addresses: needs CAP_SYSLOG");
}

absl::string_view KernelSymbols::NameOf(uint64_t address) const {
  for (const Function& function : functions_) {
    if (address >= function.start && address < function.end) return function.name;
  }
  return "";
}

}  // namespace pagewarden
