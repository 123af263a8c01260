// SPDX-License-Identifier: Apache-2.0
// All entries of a BPF hash map, a few thousand a system call.
//
//   for (const auto& [key, book] : MapEntries<__u64, cgroup_book>(fd, BPF_F_LOCK)) …
#pragma once

#include <bpf/bpf.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace pagewarden {

// Entries that come or go meanwhile may be missing or be there twice. `flags`:
// BPF_F_LOCK copies a value that has a bpf_spin_lock whole. Ends early where the
// kernel refuses (before 5.6). Thread-safe.
template <typename Key, typename Value>
std::vector<std::pair<Key, Value>> MapEntries(int fd, __u64 flags = 0) {
  std::vector<std::pair<Key, Value>> entries;
  std::vector<Key> keys(1024);
  std::vector<Value> values(keys.size());
  LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = flags);
  __u32 position = 0;
  bool is_first = true;
  for (;;) {
    __u32 count = keys.size();
    const int error = bpf_map_lookup_batch(fd, is_first ? nullptr : &position, &position,
                                           keys.data(), values.data(), &count, &options);
    if (error == -ENOSPC && keys.size() < (1u << 20)) {  // more in one bucket
      keys.resize(keys.size() * 2);
      values.resize(keys.size());
      continue;
    }
    if (error != 0 && error != -ENOENT) break;
    for (__u32 i = 0; i < count; ++i) entries.emplace_back(keys[i], values[i]);
    if (error != 0) break;
    is_first = false;
  }
  return entries;
}

}  // namespace pagewarden
