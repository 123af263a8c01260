// SPDX-License-Identifier: Apache-2.0
// Reads a BPF iterator that writes records of one size.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/base/unique_fd.h"
#include "agent/bpf/bpf_error.h"

namespace pagewarden {

// Runs the iterator of `link` once, from its beginning. `what` names it in errors.
template <typename Record>
absl::StatusOr<std::vector<Record>> ReadIterator(const bpf_link* link, absl::string_view what) {
  constexpr size_t kRecordsPerRead = 1024;
  const UniqueFd fd(bpf_iter_create(bpf_link__fd(link)));
  if (!fd.ok()) return BpfError(errno, absl::StrCat("starting ", what));

  std::vector<Record> records;
  size_t used = 0;  // bytes: a read may end within a record
  for (;;) {
    records.resize(used / sizeof(Record) + kRecordsPerRead);
    const ssize_t got = read(fd.get(), reinterpret_cast<char*>(records.data()) + used,
                             records.size() * sizeof(Record) - used);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return BpfError(errno, absl::StrCat("reading ", what));
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  if (used % sizeof(Record) != 0) {
    return absl::DataLossError(absl::StrCat(what, " ended within a record"));
  }
  records.resize(used / sizeof(Record));
  return records;
}

}  // namespace pagewarden
