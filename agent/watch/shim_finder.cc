// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/shim_finder.h"

#include <bpf/bpf.h>
#include <linux/types.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/proc/mappings.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {
namespace {

constexpr int kLooks = 3;  // the first may come before the shim is there

}  // namespace

void ShimFinder::LookAt(pid_t pid) {
  std::error_code error;
  const std::string executable =
      std::filesystem::read_symlink(absl::StrCat("/proc/", pid, "/exe"), error).string();
  if (error) return;  // a kernel thread, ended, or not ours to read
  Seen& seen = seen_[pid];
  seen.round = round_;
  if (seen.executable != executable) seen.looks = 0;
  seen.executable = executable;
  if (seen.looks++ >= kLooks) return;
  const auto mappings = ReadMappingsWithoutFlags(pid);
  if (!mappings.ok()) return;
  const auto shim = ReadShimState(pid, *mappings);
  if (!shim.ok() || !*shim) return;
  seen.looks = kLooks;
  const __u32 key = static_cast<__u32>(pid);
  const __u64 address = (*shim)->address;
  bpf_map_update_elem(ledgers_, &key, &address, BPF_ANY);
}

void ShimFinder::Look() {
  ++round_;
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(entry->path().filename().string(), &pid)) LookAt(pid);
  }
  for (auto seen = seen_.begin(); seen != seen_.end();) {
    if (seen->second.round == round_) {
      ++seen;
      continue;
    }
    const __u32 key = static_cast<__u32>(seen->first);
    bpf_map_delete_elem(ledgers_, &key);
    seen_.erase(seen++);
  }
}

}  // namespace pagewarden
