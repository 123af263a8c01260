// SPDX-License-Identifier: Apache-2.0
// Where memory of this host can come to lie on a disk: swap, hibernation, core dumps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pagewarden {

enum class Storage {
  kPlain,          // a disk, in clear
  kEncrypted,      // dm-crypt underneath
  kMemory,         // zram
  kMemoryAndDisk,  // zram that writes back to a device
  kUnknown,
};

struct SwapArea {
  std::string path;  // as /proc/swaps shows it
  uint64_t bytes = 0;
  Storage storage = Storage::kUnknown;
  std::string device;  // that decided it: "dm-0 (CRYPT-LUKS2)", "sda2"
};

struct HostFacts {
  std::optional<std::vector<SwapArea>> swap;  // absent: /proc/swaps cannot be read
  bool zswap = false;
  bool can_hibernate = false;  // the kernel offers it, and nobody has turned it off
  std::string resume;          // resume= of the command line; may be empty
  std::string core_pattern;
  int suid_dumpable = 0;
  uint64_t max_map_count = 65530;
  std::optional<bool> secret_memory;  // memfd_secret(2); absent: not to be asked here
  std::vector<std::string> unreadable;

  // All swap is encrypted or in memory only; true without swap.
  bool SwapIsSafe() const;
  bool HasSwap() const { return swap && !swap->empty(); }
};

// `root` holds proc/ and sys/; empty: this host. Only of this host asks for
// memfd_secret.
HostFacts ReadHostFacts(const std::string& root = "");

// Rows of /proc/swaps (proc(5)); paths unescaped, storage not yet known. Malformed
// rows are left out.
std::vector<SwapArea> ParseSwaps(absl::string_view text);

// Finds out where `area` lies, through /sys below `root`.
void FindStorage(const std::string& root, SwapArea& area);

}  // namespace pagewarden
