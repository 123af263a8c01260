// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/host_facts.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/base/unique_fd.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;

// Missing files are no news: the kernel may be built without. Others are named.
std::string Read(HostFacts& facts, const std::string& path) {
  const auto text = ReadBoundedFile(path, kMaxTextBytes);
  if (text.ok()) return std::string(absl::StripAsciiWhitespace(*text));
  if (!absl::IsNotFound(text.status())) {
    facts.unreadable.push_back(std::string(text.status().message()));
  }
  return "";
}

void ReadSwap(HostFacts& facts, const std::string& root) {
  const auto text = ReadBoundedFile(absl::StrCat(root, "/proc/swaps"), 1 << 20);
  if (!text.ok()) {
    facts.unreadable.push_back(std::string(text.status().message()));
    return;
  }
  facts.swap = ParseSwaps(*text);
  for (SwapArea& area : *facts.swap) FindStorage(root, area);
  const std::string zswap = Read(facts, absl::StrCat(root, "/sys/module/zswap/parameters/enabled"));
  facts.zswap = zswap == "Y" || zswap == "1";
}

// "mem disk" in state; "[disabled]" in disk where lockdown or nohibernate forbids it.
void ReadHibernation(HostFacts& facts, const std::string& root) {
  const std::string state = Read(facts, absl::StrCat(root, "/sys/power/state"));
  const std::string disk = Read(facts, absl::StrCat(root, "/sys/power/disk"));
  const std::vector<std::string> states = absl::StrSplit(state, ' ');
  facts.can_hibernate = std::find(states.begin(), states.end(), "disk") != states.end() &&
                        !disk.empty() && !absl::StrContains(disk, "[disabled]");
  const std::string line = Read(facts, absl::StrCat(root, "/proc/cmdline"));
  for (absl::string_view word : absl::StrSplit(line, ' ')) {
    if (absl::ConsumePrefix(&word, "resume=")) facts.resume = std::string(word);
  }
}

std::optional<bool> AskSecretMemory() {
  if (prctl(PR_GET_SECCOMP) != 0) return std::nullopt;  // asking might be what it kills for
  const UniqueFd fd(static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC)));
  if (fd.ok()) return true;
  if (errno == ENOSYS) return false;
  return std::nullopt;
}

}  // namespace

bool HostFacts::SwapIsSafe() const {
  return swap && std::all_of(swap->begin(), swap->end(), [](const SwapArea& area) {
           return area.storage == Storage::kEncrypted || area.storage == Storage::kMemory;
         });
}

HostFacts ReadHostFacts(const std::string& root) {
  HostFacts facts;
  ReadSwap(facts, root);
  ReadHibernation(facts, root);
  facts.core_pattern = Read(facts, absl::StrCat(root, "/proc/sys/kernel/core_pattern"));
  uint64_t number = 0;
  if (absl::SimpleAtoi(Read(facts, absl::StrCat(root, "/proc/sys/fs/suid_dumpable")), &number)) {
    facts.suid_dumpable = static_cast<int>(std::min<uint64_t>(number, 2));
  }
  if (absl::SimpleAtoi(Read(facts, absl::StrCat(root, "/proc/sys/vm/max_map_count")), &number)) {
    facts.max_map_count = number;
  }
  if (root.empty()) facts.secret_memory = AskSecretMemory();
  return facts;
}

}  // namespace pagewarden
