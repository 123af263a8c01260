// SPDX-License-Identifier: Apache-2.0
// Many live secrets: what they cost, and which of them are really locked.
#pragma once

#include <algorithm>
#include <cstdio>
#include <vector>

#include "memory_map.h"
#include "secrets.h"

namespace pagewarden::bench {

inline constexpr size_t kSecretsBetweenClocks = 64;

struct Growth {
  const char* end = "all";  // or "refused", "time"
  double nanoseconds_per_secret = 0;
  size_t locked = 0;  // of the secrets
};

template <typename Peer>
Growth Grow(size_t wanted, double seconds, std::vector<void*>& secrets) {
  Growth growth;
  const double start = WallTime();
  const double cpu_start = ThreadTime();
  Inside<Peer>([&] {
    while (secrets.size() < wanted) {
      void* const secret = WrittenSecret<Peer>();
      if (secret == nullptr) {
        growth.end = "refused";
        return;
      }
      secrets.push_back(secret);
      if (secrets.size() % kSecretsBetweenClocks != 0) continue;
      if (WallTime() - start < seconds * 1e9) continue;
      growth.end = "time";
      return;
    }
  });
  growth.nanoseconds_per_secret =
      (ThreadTime() - cpu_start) / static_cast<double>(std::max<size_t>(secrets.size(), 1));
  return growth;
}

// Prints one `name<TAB>value` a line. All memory is reserved first: some peers
// take the last mapping that the process may have, and then malloc fails too.
template <typename Peer>
void MeasureGrowth(size_t wanted, size_t sized_for, double seconds) {
  std::vector<void*> secrets(wanted);
  secrets.clear();  // its pages stay, and are not counted below
  MemoryMap map;
  const size_t anonymous_before = AnonymousBytes();
  Growth growth;
  if (Peer::Start(sized_for)) growth = Grow<Peer>(wanted, seconds, secrets);
  const size_t anonymous = AnonymousBytes() - anonymous_before;
  map.Read();
  for (const void* secret : secrets) growth.locked += map.IsLocked(secret, kSecretBytes);
  dprintf(1, "end\t%s\nreturned\t%zu\nlocked\t%zu\nns\t%.1f\n", growth.end, secrets.size(),
          growth.locked, growth.nanoseconds_per_secret);
  dprintf(1, "locked_bytes\t%zu\nanonymous_bytes\t%zu\nmappings\t%zu\n", LockedBytes(), anonymous,
          map.mappings());
}

}  // namespace pagewarden::bench
