// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/copies.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace pagewarden {
namespace {

struct BasedCopy {
  uint64_t base = 0;
  Copy copy;
};

std::vector<BasedCopy> JoinByBase(std::vector<Fragment> fragments) {
  const auto key = [](const Fragment& f) {
    return std::make_tuple(f.needle, f.address - f.offset, f.offset);
  };
  std::sort(fragments.begin(), fragments.end(),
            [&](const Fragment& a, const Fragment& b) { return key(a) < key(b); });
  std::vector<BasedCopy> joined;
  for (const Fragment& f : fragments) {
    const uint64_t base = f.address - f.offset;
    const uint64_t end = f.address + f.bytes;
    if (joined.empty() || joined.back().copy.needle != f.needle || joined.back().base != base) {
      joined.push_back({base, {f.needle, f.address, end, f.bytes}});
      continue;
    }
    Copy& copy = joined.back().copy;
    if (end <= copy.end) continue;
    copy.bytes += end - std::max(copy.end, f.address);
    copy.end = end;
  }
  std::stable_sort(joined.begin(), joined.end(), [](const BasedCopy& a, const BasedCopy& b) {
    return a.copy.address < b.copy.address;
  });
  return joined;
}

// Where the base64 text of a PEM block begins if this line of it has `base`:
// one place for each length that a line end may have ("", "\n", "\r\n").
using PemBase = std::tuple<uint32_t, uint32_t, uint64_t>;
std::array<PemBase, 3> PemBases(const PemPosition& line, uint64_t base) {
  std::array<PemBase, 3> bases;
  for (uint32_t line_end = 0; line_end < bases.size(); ++line_end) {
    bases[line_end] = {line.block, line_end, base - line.offset - uint64_t{line_end} * line.line};
  }
  return bases;
}

void Extend(Copy& copy, const Copy& more) {
  copy.end = std::max(copy.end, more.end);
  copy.bytes += more.bytes;
}

// Copies of equal extent: the first form stays. Copies come by address.
std::vector<Copy> DropContained(const NeedleSet& needles, std::vector<Copy> copies) {
  std::sort(copies.begin(), copies.end(), [](const Copy& a, const Copy& b) {
    return std::tie(a.address, b.end, a.needle) < std::tie(b.address, a.end, b.needle);
  });
  absl::flat_hash_map<uint32_t, Copy> reaching;  // by secret: the copy that ends last so far
  std::vector<Copy> kept;
  for (const Copy& copy : copies) {
    const Needle& needle = needles[copy.needle];
    Copy& before = reaching[needle.secret];
    const bool is_inside = copy.end <= before.end && copy.needle != before.needle;
    if (is_inside) continue;
    kept.push_back(copy);
    if (copy.end > before.end) before = copy;
  }
  return kept;
}

}  // namespace

std::vector<Copy> MergeFragments(const NeedleSet& needles, std::vector<Fragment> fragments) {
  std::vector<Copy> copies;
  absl::flat_hash_map<PemBase, size_t> pem_copies;  // to the index in `copies`
  for (const BasedCopy& found : JoinByBase(std::move(fragments))) {
    const PemPosition& line = needles[found.copy.needle].pem;
    if (line.block == 0) {
      copies.push_back(found.copy);
      continue;
    }
    const auto bases = PemBases(line, found.base);
    const auto known = std::find_if(bases.begin(), bases.end(),
                                    [&](const PemBase& base) { return pem_copies.contains(base); });
    if (known != bases.end()) {
      Extend(copies[pem_copies[*known]], found.copy);
      continue;
    }
    for (const PemBase& base : bases) pem_copies.emplace(base, copies.size());
    copies.push_back(found.copy);
  }
  return DropContained(needles, std::move(copies));
}

}  // namespace pagewarden
