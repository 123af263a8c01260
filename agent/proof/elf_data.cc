// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/elf_data.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/container/flat_hash_set.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kAddressSpace = uint64_t{1} << 56;
constexpr int kMaxHeaders = 64;

uint64_t PageDown(uint64_t address) { return address / kPageBytes * kPageBytes; }

bool IsElf64(const Elf64_Ehdr& header) {
  return memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_phentsize == sizeof(Elf64_Phdr) && header.e_phnum <= kMaxHeaders;
}

bool IsPlausible(const Elf64_Phdr& segment) {
  return segment.p_vaddr < kAddressSpace && segment.p_memsz < kAddressSpace;
}

// The object whose file header is mapped at `base`.
void AddObject(const Mapping& mapping, RemoteWords& words, std::vector<ElfData>& found) {
  Elf64_Ehdr header;
  if (!words.Get(mapping.start, header) || !IsElf64(header)) return;
  if (header.e_phoff > mapping.end - mapping.start) return;
  bool is_first = true;
  uint64_t bias = 0;
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!words.Get(mapping.start + header.e_phoff + i * sizeof(segment), segment)) return;
    if (segment.p_type != PT_LOAD || !IsPlausible(segment)) continue;
    if (is_first) bias = mapping.start - PageDown(segment.p_vaddr);
    is_first = false;
    if ((segment.p_flags & PF_W) == 0) continue;
    const uint64_t start = bias + segment.p_vaddr;
    found.push_back(
        {{PageDown(start), PageDown(start + segment.p_memsz + kPageBytes - 1)}, mapping.name});
  }
}

}  // namespace

std::vector<ElfData> FindElfData(const std::vector<Mapping>& mappings, RemoteWords& words) {
  absl::flat_hash_set<std::string> executed;
  for (const Mapping& mapping : mappings) {
    if (mapping.executable && !mapping.shared) executed.insert(mapping.name);
  }
  std::vector<ElfData> found;
  for (const Mapping& mapping : mappings) {
    const bool may_be_header = mapping.file_offset == 0 && mapping.readable && !mapping.shared &&
                               !mapping.name.empty() && mapping.name[0] == '/';
    if (may_be_header && executed.contains(mapping.name)) AddObject(mapping, words, found);
  }
  std::sort(found.begin(), found.end(),
            [](const ElfData& a, const ElfData& b) { return a.range.start < b.range.start; });
  return found;
}

const ElfData* FindElfData(const std::vector<ElfData>& segments, uint64_t address) {
  for (const ElfData& segment : segments) {
    if (address >= segment.range.start && address < segment.range.end) return &segment;
  }
  return nullptr;
}

}  // namespace pagewarden
