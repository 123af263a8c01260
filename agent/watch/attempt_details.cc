// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/attempt_details.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/proc/mappings.h"
#include "agent/proc/read_file.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxShmTable = 4 << 20;
constexpr uint64_t kMappingsWorthReading = 4096;  // smaps walks page tables: milliseconds

std::optional<uint64_t> ReadNumber(const std::string& path) {
  const auto text = ReadBoundedFile(path, 64);
  uint64_t value = 0;
  if (!text.ok() || !absl::SimpleAtoi(*text, &value)) return std::nullopt;
  return value;
}

bool IsComparedWithVmLck(LockCall call) {
  switch (call) {
    case LockCall::kMlock:
    case LockCall::kMlock2:
    case LockCall::kMmap:
    case LockCall::kBrk:
    case LockCall::kMremap:
    case LockCall::kSecretMemoryMap:
    case LockCall::kVfioMap:
      return true;
    default:
      return false;
  }
}

bool IsUnpopulatable(const Mapping& mapping) {
  return mapping.device || !(mapping.readable || mapping.writable || mapping.executable);
}

RangeFacts RangeOf(const std::vector<Mapping>& mappings, uint64_t start, uint64_t end) {
  RangeFacts range;
  uint64_t at = start;
  for (const Mapping& mapping : mappings) {
    if (mapping.end <= at) continue;
    if (mapping.start > at || at >= end) break;
    const uint64_t bytes = std::min(mapping.end, end) - at;
    if (mapping.locked) range.already_locked_bytes += bytes;
    if (mapping.hugetlb) range.hugetlb_bytes += bytes;
    if (IsUnpopulatable(mapping)) range.has_unpopulatable = true;
    at = mapping.end;
  }
  range.has_hole = at < end;
  return range;
}

// Only while the process still has the VmLck that the attempt left it with: else it has
// gone on, and its mappings are not those of the attempt.
bool IsUnchanged(pid_t pid, const Attempt& attempt) {
  const auto status = ReadStatus(pid);
  return status.ok() &&
         status->locked_bytes == attempt.locked_after_bytes.value_or(attempt.locked_bytes);
}

void AddMappings(pid_t pid, Attempt& attempt) {
  if (attempt.map_count.value_or(0) > kMappingsWorthReading) return;
  const auto mappings = ReadMappings(pid);
  if (!mappings.ok() || mappings->empty() || !IsUnchanged(pid, attempt)) return;
  uint64_t locked = 0;
  for (const Mapping& mapping : *mappings) {
    if (mapping.locked) locked += mapping.end - mapping.start;
  }
  attempt.locked_mappings_bytes = locked;
  const bool is_mlock = attempt.call == LockCall::kMlock || attempt.call == LockCall::kMlock2;
  if (!is_mlock || attempt.range || attempt.request_bytes == 0) return;
  attempt.range = RangeOf(*mappings, attempt.address, attempt.address + attempt.request_bytes);
}

// kernel/events/core.c, perf_mmap: each uid has perf_event_mlock_kb for each CPU free.
void AddPerfRequest(Attempt& attempt) {
  const auto kib = ReadNumber("/proc/sys/kernel/perf_event_mlock_kb");
  if (!kib || !attempt.uid_locked_bytes) return;
  const uint64_t pages_a_cpu = *kib * 1024 / attempt.page_bytes;
  const uint64_t free =
      pages_a_cpu * static_cast<uint64_t>(sysconf(_SC_NPROCESSORS_ONLN)) * attempt.page_bytes;
  const uint64_t used = std::min(*attempt.uid_locked_bytes, free);
  const uint64_t wanted = used + attempt.request_bytes;
  attempt.request_bytes = wanted > free ? wanted - free : 0;
}

// key shmid perms size cpid lpid nattch uid gid cuid cgid …, of our own ipc namespace.
void AddShmOwner(pid_t pid, int shm_id, Attempt& attempt) {
  const auto own = ReadLink("/proc/self/ns/ipc");
  const auto theirs = ReadLink(absl::StrCat("/proc/", pid, "/ns/ipc"));
  const auto status = ReadStatus(pid);
  const auto table = ReadBoundedFile("/proc/sysvipc/shm", kMaxShmTable);
  if (!own.ok() || !theirs.ok() || *own != *theirs || !status.ok() || !table.ok()) return;
  for (const absl::string_view line : absl::StrSplit(*table, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int id = 0;
    uint64_t size = 0;
    uint32_t uid = 0, creator = 0;
    if (fields.size() < 11 || !absl::SimpleAtoi(fields[1], &id) || id != shm_id) continue;
    if (!absl::SimpleAtoi(fields[3], &size) || !absl::SimpleAtoi(fields[7], &uid) ||
        !absl::SimpleAtoi(fields[9], &creator)) {
      return;
    }
    attempt.shm_owner = status->uid == uid || status->uid == creator;
    const uint64_t page = attempt.page_bytes;
    attempt.request_bytes = (size + page - 1) / page * page;
  }
}

// fs/hugetlbfs/inode.c, can_do_hugetlb_shm: one group is let in without the capability.
void AddHugetlbGroup(pid_t pid, Attempt& attempt) {
  const auto group = ReadNumber("/proc/sys/vm/hugetlb_shm_group");
  const auto status = ReadBoundedFile(absl::StrCat("/proc/", pid, "/status"), 64 << 10);
  if (!group || !status.ok()) return;
  attempt.in_hugetlb_group = false;
  for (absl::string_view line : absl::StrSplit(*status, '\n')) {
    // "Gid:" gives real, effective, saved and filesystem group; the kernel takes the last.
    const bool own = absl::ConsumePrefix(&line, "Gid:");
    if (!own && !absl::ConsumePrefix(&line, "Groups:")) continue;
    std::vector<absl::string_view> ids =
        absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
    if (own && ids.size() > 1) ids.erase(ids.begin(), ids.end() - 1);
    for (const absl::string_view id : ids) {
      if (id == absl::StrCat(*group)) attempt.in_hugetlb_group = true;
    }
  }
}

}  // namespace

void AddProcDetails(pid_t pid, int shm_id, Attempt& attempt) {
  if (const auto maximum = ReadNumber("/proc/sys/vm/max_map_count")) {
    attempt.max_map_count = *maximum;
  }
  if (attempt.call == LockCall::kPerfMmap) AddPerfRequest(attempt);
  if (attempt.call == LockCall::kShmgetHugetlb) AddHugetlbGroup(pid, attempt);
  if (attempt.call == LockCall::kShmctlLock) AddShmOwner(pid, shm_id, attempt);
  if (IsComparedWithVmLck(attempt.call)) AddMappings(pid, attempt);
}

}  // namespace pagewarden
