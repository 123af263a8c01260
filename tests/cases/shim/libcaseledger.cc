// SPDX-License-Identifier: Apache-2.0
// What the shim counts in this process, as the agent would read it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "preload/abi/ledger.h"

namespace {

using pagewarden::abi::Ledger;

const Ledger* FindLedger() {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512];
  const Ledger* found = nullptr;
  while (found == nullptr && fgets(line, sizeof(line), maps) != nullptr) {
    uintptr_t begin, end;
    char access[8] = {};
    if (strstr(line, "/libpagewarden.so") == nullptr) continue;
    if (sscanf(line, "%lx-%lx %7s", &begin, &end, access) != 3 || access[1] != 'w') continue;
    for (uintptr_t page = begin; page < end; page += 4096) {
      const auto* ledger = reinterpret_cast<const Ledger*>(page);
      if (memcmp(ledger->magic, pagewarden::abi::kLedgerMagic, sizeof(ledger->magic)) == 0)
        found = ledger;
    }
  }
  fclose(maps);
  return found;
}

const Ledger& TheLedger() {
  static const Ledger* const ledger = FindLedger();
  if (ledger == nullptr) abort();
  return *ledger;
}

}  // namespace

extern "C" {

unsigned long pinned_bytes() { return TheLedger().pinned_bytes; }
unsigned long unpinned_bytes() { return TheLedger().unpinned_bytes; }

}
