// SPDX-License-Identifier: Apache-2.0
// Where the writable data of a process's programs and libraries lies: .data and
// .bss, the part of .bss behind the file's last page included, which
// /proc/PID/maps shows as anonymous memory, joined to whatever follows it.
#pragma once

#include <string>
#include <vector>

#include "agent/proc/mappings.h"
#include "agent/proof/page_map.h"
#include "agent/proof/remote_words.h"

namespace pagewarden {

struct ElfData {
  AddressRange range;  // of one writable PT_LOAD segment, in whole pages
  std::string object;  // as /proc/PID/maps names it
};

// From the program headers in the process's memory (elf(5)); those of 64-bit
// objects. What is forged there only gives a copy a wrong name. Ascending.
std::vector<ElfData> FindElfData(const std::vector<Mapping>& mappings, RemoteWords& words);

// The segment that holds `address`, or nullptr.
const ElfData* FindElfData(const std::vector<ElfData>& segments, uint64_t address);

}  // namespace pagewarden
