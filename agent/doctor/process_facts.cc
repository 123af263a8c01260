// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/process_facts.h"

#include <linux/capability.h>
#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/audit/locked_mappings.h"
#include "agent/audit/shim_details.h"
#include "agent/audit/text.h"
#include "agent/doctor/exec_texts.h"
#include "agent/doctor/status_fields.h"
#include "agent/proc/limits.h"
#include "agent/proc/mappings.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;
constexpr size_t kMaxEnvironmentBytes = 6 << 20;  // three quarters of _STK_LIM: execve(2)
constexpr size_t kMaxShmBytes = 16 << 20;
constexpr uint64_t kShmLockedPerm = 02000;  // SHM_LOCKED of shm_perm.mode (ipc/shm.c)

std::string ProcPath(pid_t pid, absl::string_view file) {
  return absl::StrCat("/proc/", pid, "/", file);
}

// Reads a file of the process; on failure its name and why join `facts.unreadable`.
std::optional<std::string> Read(ProcessFacts& facts, absl::string_view file, size_t max_bytes) {
  auto text = ReadBoundedFile(ProcPath(facts.pid, file), max_bytes);
  if (text.ok()) return *std::move(text);
  if (!absl::IsNotFound(text.status())) {
    facts.unreadable.push_back(std::string(text.status().message()));
  }
  return std::nullopt;
}

template <typename Number, typename Field>
void Take(ProcessFacts& facts, absl::string_view name, const std::optional<Field>& field,
          Number& value) {
  if (field && *field <= std::numeric_limits<Number>::max()) {
    value = static_cast<Number>(*field);
  } else {
    facts.unreadable.push_back(
        absl::StrCat(ProcPath(facts.pid, "status"), ": ", name, " is missing or malformed"));
  }
}

void TakeIds(ProcessFacts& facts, const StatusFields& fields) {
  const auto uids = fields.Numbers("Uid").value_or(std::vector<uint64_t>{});
  const auto gids = fields.Numbers("Gid").value_or(std::vector<uint64_t>{});
  if (uids.size() != 4 || gids.size() != 4) {
    facts.unreadable.push_back(absl::StrCat(ProcPath(facts.pid, "status"), ": Uid or Gid"));
    return;
  }
  facts.real_uid = static_cast<uid_t>(uids[0]);
  facts.uid = static_cast<uid_t>(uids[1]);
  facts.real_gid = static_cast<gid_t>(gids[0]);
  facts.gid = static_cast<gid_t>(gids[1]);
}

void TakeStatus(ProcessFacts& facts, const StatusFields& fields) {
  TakeIds(facts, fields);
  Take(facts, "PPid", fields.Decimal("PPid"), facts.parent);
  Take(facts, "CapEff", fields.Hex("CapEff"), facts.cap_effective);
  Take(facts, "CapPrm", fields.Hex("CapPrm"), facts.cap_permitted);
  Take(facts, "CapBnd", fields.Hex("CapBnd"), facts.cap_bounding);
  Take(facts, "VmLck", fields.KilobytesAsBytes("VmLck"), facts.locked_bytes);
  Take(facts, "VmPin", fields.KilobytesAsBytes("VmPin"), facts.pinned_bytes);
  Take(facts, "VmSize", fields.KilobytesAsBytes("VmSize"), facts.total_bytes);
  Take(facts, "VmSwap", fields.KilobytesAsBytes("VmSwap"), facts.swapped_bytes);
  // Kernels built without seccomp have no such line.
  facts.seccomp_mode =
      static_cast<int>(std::min<uint64_t>(fields.Decimal("Seccomp").value_or(0), 2));
  facts.no_new_privs = fields.Decimal("NoNewPrivs").value_or(0) != 0;
}

void ReadLimits(ProcessFacts& facts) {
  const auto limits = ReadMemlockLimits(facts.pid);
  if (limits.ok()) {
    facts.limits = *limits;
  } else {
    facts.unreadable.push_back(std::string(limits.status().message()));
  }
  facts.core = ReadCoreDumpFacts(facts.pid);
}

void ReadExecTexts(ProcessFacts& facts) {
  if (const auto auxv = Read(facts, "auxv", kMaxTextBytes)) {
    facts.secure_execution = SecureExecutionOf(*auxv);
  }
  if (const auto environment = Read(facts, "environ", kMaxEnvironmentBytes)) {
    facts.preload = PreloadOf(*environment);
  }
}

// Of these it was seen with all memory locked; glibc's main heap shrinks by brk(2).
std::string PurgingAllocatorIn(const std::vector<Mapping>& mappings) {
  for (const Mapping& mapping : mappings) {
    const std::string file = mapping.name.substr(mapping.name.rfind('/') + 1);
    const bool purges =
        absl::StartsWith(file, "libjemalloc.so") || absl::StartsWith(file, "libmimalloc.so");
    if (mapping.executable && purges) return Printable(file);
  }
  return "";
}

void ReadMemory(ProcessFacts& facts) {
  const auto mappings = ReadMappingsWithoutFlags(facts.pid);
  if (mappings.ok()) {
    facts.map_count = mappings->size();
    facts.purging_allocator = PurgingAllocatorIn(*mappings);
  }
  ProcessRow row;
  row.pid = facts.pid;
  row.locked_bytes = facts.locked_bytes;
  absl::Status details = AddShimState(row);
  facts.shim_loaded = row.shim_loaded;
  if (row.shim) facts.shim = std::move(*row.shim);
  facts.exe = ReadExe(facts.pid);
  if (details.ok() && facts.locked_bytes > 0) details = AddLockedMappingsFromProc(row);
  if (!details.ok()) {
    facts.unreadable.push_back(std::string(details.message()));
  } else if (facts.locked_bytes > 0) {
    const int64_t drift = std::max<int64_t>(row.drift_bytes, 0);
    facts.locked_mappings_bytes = row.locked_bytes - static_cast<uint64_t>(drift);
  }
}

// A process that is not its parent's fork runs another executable.
void ReadParent(ProcessFacts& facts) {
  if (facts.exe.empty() || facts.parent <= 0 || ReadExe(facts.parent) != facts.exe) return;
  const auto parent = ReadStatus(facts.parent);
  if (parent.ok()) facts.parent_locked_bytes = parent->locked_bytes;
}

void ReadHost(ProcessFacts& facts) {
  const auto count = ReadBoundedFile("/proc/sys/vm/max_map_count", kMaxTextBytes);
  uint64_t value = 0;
  if (count.ok() && absl::SimpleAtoi(absl::StripAsciiWhitespace(*count), &value)) {
    facts.max_map_count = value;
  }
  const auto segments = ReadBoundedFile("/proc/sysvipc/shm", kMaxShmBytes);
  if (segments.ok()) facts.shm_locked_bytes = ShmLockedBytes(*segments, facts.real_uid);
}

void ReadCgroup(ProcessFacts& facts, const CgroupHierarchy* hierarchy) {
  facts.cgroup_text = Read(facts, "cgroup", kMaxTextBytes).value_or("");
  if (hierarchy == nullptr) return;
  const auto path = hierarchy->PathOf(facts.pid);
  if (path.ok()) facts.memory = ReadMemoryBudget(*hierarchy, *path);
}

void ReadSecurity(ProcessFacts& facts) {
  const auto initial = InInitialUserNamespace(facts.pid);
  if (initial.ok()) {
    facts.in_initial_user_ns = *initial;
  } else {
    facts.unreadable.push_back(std::string(initial.status().message()));
  }
  // Fails with EINVAL where no security module has labels: not worth a word.
  const auto label = ReadBoundedFile(ProcPath(facts.pid, "attr/current"), kMaxTextBytes);
  if (label.ok()) {
    absl::string_view text = *label;
    text = text.substr(0, text.find('\0'));
    facts.security_label = Printable(absl::StripAsciiWhitespace(text));
  }
}

}  // namespace

bool HasIpcLock(uint64_t set) { return ((set >> CAP_IPC_LOCK) & 1) != 0; }

bool ProcessFacts::HasUsableIpcLock() const {
  return in_initial_user_ns && HasIpcLock(cap_effective);
}

CoreDumpFacts ReadCoreDumpFacts(pid_t pid) {
  CoreDumpFacts facts;
  struct rlimit64 limit;
  const bool known = prlimit64(pid, RLIMIT_CORE, nullptr, &limit) == 0;
  facts.limit_bytes = known ? limit.rlim_cur : std::numeric_limits<uint64_t>::max();
  const auto filter = ReadBoundedFile(ProcPath(pid, "coredump_filter"), kMaxTextBytes);
  facts.filter_is_zero = filter.ok() && absl::StripAsciiWhitespace(*filter) == "00000000";
  return facts;
}

uint64_t ShmLockedBytes(const std::string& text, uid_t uid) {
  uint64_t bytes = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() < 11) continue;
    absl::string_view perms = fields[2];
    uint64_t mode = 0;
    uint64_t size = 0;
    uint64_t creator = 0;
    for (const char digit : perms) mode = mode * 8 + static_cast<uint64_t>((digit - '0') & 7);
    if (!absl::SimpleAtoi(fields[3], &size) || !absl::SimpleAtoi(fields[9], &creator)) continue;
    if ((mode & kShmLockedPerm) == 0 || creator != uid) continue;
    bytes += std::min(size, std::numeric_limits<uint64_t>::max() - bytes);
  }
  return bytes;
}

absl::StatusOr<ProcessFacts> ReadProcessFacts(pid_t pid, const CgroupHierarchy* hierarchy) {
  const auto status = ReadStatus(pid);
  if (!status.ok()) return status.status();
  if (!status->has_memory) {
    return absl::FailedPreconditionError(
        absl::StrCat("process ", pid, " has no memory of its own: a kernel thread or a zombie"));
  }
  ProcessFacts facts;
  facts.pid = pid;
  facts.comm = Printable(status->comm);
  const auto text = Read(facts, "status", kMaxTextBytes);
  if (!text) return absl::NotFoundError(absl::StrCat("process ", pid, " is gone"));
  TakeStatus(facts, StatusFields::Parse(*text));
  ReadLimits(facts);
  ReadSecurity(facts);
  ReadCgroup(facts, hierarchy);
  ReadHost(facts);
  ReadExecTexts(facts);
  ReadMemory(facts);
  ReadParent(facts);
  return facts;
}

}  // namespace pagewarden
