// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/process_scan.h"

#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/proc/memory.h"
#include "agent/proof/page_map.h"
#include "agent/proof/places.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
// Small enough to stay in the second-level cache between the read and the search.
constexpr size_t kChunkBytes = 256 << 10;

bool IsKernelOrDevice(const Mapping& mapping) {
  const std::string& name = mapping.name;
  if (absl::StartsWith(name, "[vvar") || name == "[vdso]" || name == "[vsyscall]") return true;
  if (absl::StartsWith(name, "anon_inode:")) return true;  // rings of io_uring, perf, KVM
  // Memory in spite of their names: shared anonymous memory is /dev/zero.
  for (const char* memory : {"/dev/zero", "/dev/shm/", "/dev/hugepages/"}) {
    if (absl::StartsWith(name, memory)) return false;
  }
  return absl::StartsWith(name, "/dev/");
}

// Without a file behind it, a page that is not there holds nothing.
bool IsPrivateAnonymous(const Mapping& mapping) {
  const std::string& name = mapping.name;
  return !mapping.shared && (name.empty() || name == "[heap]" || absl::StartsWith(name, "[stack") ||
                             absl::StartsWith(name, "[anon:"));
}

// What to read, in ascending ranges that are joined where they touch: a copy
// may cross from one mapping into the next.
std::vector<AddressRange> RangesToRead(const std::vector<Mapping>& mappings, const PageMap& pages,
                                       const ScanOptions& options) {
  std::vector<AddressRange> ranges;
  const auto add = [&](AddressRange range) {
    if (ranges.empty() || ranges.back().end != range.start) {
      ranges.push_back(range);
    } else {
      ranges.back().end = range.end;
    }
  };
  for (const Mapping& mapping : mappings) {
    if (IsKernelOrDevice(mapping)) continue;
    if (IsPrivateAnonymous(mapping) || (options.mapped_pages_of_files && !IsMemoryOnly(mapping))) {
      for (const AddressRange& range : pages.DataRanges({mapping.start, mapping.end})) add(range);
    } else if (mapping.readable) {
      add({mapping.start, mapping.end});
    }
  }
  return ranges;
}

class ProcessReader {
 public:
  ProcessReader(pid_t pid, const ProcessMemory& memory, const PageMap& pages,
                const Scanner& scanner, const ScanOptions& options)
      : pid_(pid),
        memory_(memory),
        pages_(pages),
        scanner_(scanner),
        options_(options),
        buffer_(kChunkBytes) {}

  absl::Status Read(AddressRange range) {
    size_t kept = 0;  // bytes before `at` that are in the buffer already
    for (uint64_t at = range.start; at < range.end;) {
      if (options_.go_on && !options_.go_on()) return absl::CancelledError("the search was ended");
      const size_t wanted = std::min<uint64_t>(buffer_.size() - kept, range.end - at);
      const size_t got = ReadBytes(at, buffer_.data() + kept, wanted);
      scanner_.Scan(ByteView(buffer_.data(), kept + got), at - kept, fragments);
      if (fragments.size() > kMaxFragmentsPerProcess) {
        return absl::ResourceExhaustedError("more copies than can be listed");
      }
      at += got;
      kept = KeepTail(kept + got);
      if (got == wanted) continue;
      kept = 0;
      SkipPage(at);
    }
    return absl::OkStatus();
  }

  std::vector<Fragment> fragments;
  std::vector<uint64_t> unreadable_pages;

 private:
  // /proc/PID/mem copies twice, through a page of the kernel's, but reads what the
  // process itself may not.
  size_t ReadBytes(uint64_t address, unsigned char* to, size_t bytes) const {
    const iovec local = {to, bytes};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of the other process
    const iovec remote = {reinterpret_cast<void*>(address), bytes};
    const ssize_t got = process_vm_readv(pid_, &local, 1, &remote, 1, 0);
    const size_t done = got < 0 ? 0 : static_cast<size_t>(got);
    return done == bytes ? done : done + memory_.Read(address + done, to + done, bytes - done);
  }

  size_t KeepTail(size_t used) {
    const size_t kept = std::min(used, Scanner::kOverlap);
    memmove(buffer_.data(), buffer_.data() + used - kept, kept);
    return kept;
  }

  void SkipPage(uint64_t& at) {
    const uint64_t page = at / kPageBytes * kPageBytes;
    if (pages_.HoldsData(page)) unreadable_pages.push_back(page);
    at = page + kPageBytes;
  }

  const pid_t pid_;
  const ProcessMemory& memory_;
  const PageMap& pages_;
  const Scanner& scanner_;
  const ScanOptions& options_;
  SecretBytes buffer_;
};

std::vector<std::string> DescribeUnreadable(const std::vector<uint64_t>& pages,
                                            const std::vector<Mapping>& mappings) {
  std::vector<std::string> lines;
  for (const Mapping& mapping : mappings) {
    const auto first = std::lower_bound(pages.begin(), pages.end(), mapping.start);
    const auto last = std::lower_bound(first, pages.end(), mapping.end);
    if (first == last) continue;
    lines.push_back(absl::StrCat(last - first, " of ", (mapping.end - mapping.start) / kPageBytes,
                                 " pages of ",
                                 mapping.name.empty() ? "the anonymous mapping" : mapping.name,
                                 " at 0x", absl::Hex(mapping.start), " cannot be read"));
  }
  return lines;
}

}  // namespace

absl::StatusOr<ProcessScan> ScanProcess(pid_t pid, const std::vector<Mapping>& mappings,
                                        const NeedleSet& needles, const Scanner& scanner,
                                        const ScanOptions& options) {
  auto memory = ProcessMemory::Open(pid);
  if (!memory.ok()) return memory.status();
  auto pages = PageMap::Open(pid);
  if (!pages.ok()) return pages.status();
  ProcessReader reader(pid, *memory, *pages, scanner, options);
  for (const AddressRange& range : RangesToRead(mappings, *pages, options)) {
    const absl::Status read = reader.Read(range);
    if (!read.ok()) return read;
  }
  return ProcessScan{MergeFragments(needles, std::move(reader.fragments)),
                     DescribeUnreadable(reader.unreadable_pages, mappings)};
}

}  // namespace pagewarden
