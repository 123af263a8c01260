// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/host_checks.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/audit/text.h"
#include "agent/reasons/amounts.h"

namespace pagewarden {
namespace {

constexpr char kHost[] = "host";
constexpr char kCheck[] = "pagewarden doctor";
constexpr uint64_t kDefaultMapCount = 65530;
constexpr size_t kMostNamed = 8;

Finding HostFinding(FindingCode code, std::string headline) {
  Finding finding = MakeFinding(code, kHost, std::move(headline));
  finding.check = kCheck;
  return finding;
}

std::string Describe(const SwapArea& area) {
  return absl::StrCat(Printable(area.path), " (", HumanBytes(area.bytes),
                      area.device.empty() ? "" : ", on ", area.device, ")");
}

std::string Join(const std::vector<SwapArea>& areas) {
  return absl::StrJoin(areas, ", ",
                       [](std::string* out, const SwapArea& area) { out->append(Describe(area)); });
}

std::vector<SwapArea> OfStorage(const HostFacts& facts, std::initializer_list<Storage> kinds) {
  std::vector<SwapArea> areas;
  for (const SwapArea& area : *facts.swap) {
    if (std::find(kinds.begin(), kinds.end(), area.storage) != kinds.end()) areas.push_back(area);
  }
  return areas;
}

Finding PlainSwap(const std::vector<SwapArea>& areas, const char* what) {
  Finding finding =
      HostFinding(FindingCode::kPlainSwap, absl::StrCat("swaps to ", what, ": ", Join(areas)));
  finding.effect = "secrets that are not locked can be read from the disk, now and later";
  for (const SwapArea& area : areas) {
    finding.fixes.push_back({absl::StrCat("go without ", Printable(area.path)),
                             "",
                             "",
                             {absl::StrCat("swapoff '", Printable(area.path), "'")}});
  }
  finding.fixes.push_back(
      {"or encrypt a partition with a key that is new at each start",
       "/etc/crypttab",
       "cryptswap /dev/PARTITION /dev/urandom swap,cipher=aes-xts-plain64,size=512\n",
       {"systemctl daemon-reload", "systemctl start systemd-cryptsetup@cryptswap.service"}});
  return finding;
}

void CheckSwap(const HostFacts& facts, std::vector<Finding>& findings) {
  if (!facts.swap) return;
  if (facts.swap->empty()) {
    if (!facts.can_hibernate) {
      findings.push_back(HostFinding(FindingCode::kNoSwap, "has no swap and no hibernation"));
    }
    return;
  }
  const auto plain = OfStorage(facts, {Storage::kPlain});
  if (!plain.empty()) findings.push_back(PlainSwap(plain, "a disk in clear"));
  const auto unknown = OfStorage(facts, {Storage::kUnknown});
  if (!unknown.empty()) {
    findings.push_back(PlainSwap(unknown, "where its encryption cannot be told"));
  }
  const auto memory = OfStorage(facts, {Storage::kMemory, Storage::kMemoryAndDisk});
  if (memory.empty() && !facts.zswap) return;
  Finding finding =
      HostFinding(FindingCode::kCompressedSwap,
                  memory.empty() ? "keeps compressed pages in memory before its swap areas (zswap)"
                                 : absl::StrCat("swaps to compressed memory: ", Join(memory)));
  const bool to_disk = !OfStorage(facts, {Storage::kMemoryAndDisk}).empty();
  if (to_disk) finding.severity = Severity::kWarning;
  finding.effect = to_disk ? "pages can be written to zram's backing device"
                           : "pages that are not locked stay in memory, as copies";
  findings.push_back(std::move(finding));
}

void CheckHibernation(const HostFacts& facts, std::vector<Finding>& findings) {
  if (!facts.can_hibernate) return;
  Finding finding =
      HostFinding(FindingCode::kHibernation,
                  absl::StrCat("can hibernate", facts.resume.empty() ? "" : ", and resumes from ",
                               Printable(facts.resume)));
  const bool disk =
      facts.HasSwap() && OfStorage(facts, {Storage::kMemory}).size() < facts.swap->size();
  if (!disk || facts.SwapIsSafe()) finding.severity = Severity::kInfo;
  finding.effect = !disk                ? "there is no swap area that it could write to now"
                   : facts.SwapIsSafe() ? "the image goes to encrypted swap"
                                        : "all memory is written to swap in clear, locked or not";
  finding.fixes = {{"forbid it from the next start on",
                    "/etc/default/grub.d/50-nohibernate.cfg",
                    "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX nohibernate\"\n",
                    {"update-grub"}}};
  findings.push_back(std::move(finding));
}

void CheckCoreDumps(const HostFacts& facts, std::vector<Finding>& findings) {
  if (facts.core_pattern.empty()) return;
  const bool piped = facts.core_pattern.front() == '|';
  const std::string pattern = Printable(facts.core_pattern);
  Finding finding = HostFinding(
      FindingCode::kCoreDumps,
      piped ? absl::StrCat("hands core dumps to ", pattern.substr(1), ", whatever RLIMIT_CORE says")
            : absl::StrCat("writes core dumps to files (", pattern, ") where RLIMIT_CORE allows"));
  if (!piped) finding.severity = Severity::kInfo;
  finding.effect =
      "memory of programs that are not fenced comes to lie on the disk when they crash";
  if (absl::StrContains(pattern, "systemd-coredump")) {
    finding.fixes = {{"keep none of them",
                      "/etc/systemd/coredump.conf.d/50-none.conf",
                      "[Coredump]\nStorage=none\nProcessSizeMax=0\n",
                      {}}};
  } else {
    finding.fixes = {{piped ? "write none" : "write none, if a limit allows them",
                      "",
                      "",
                      {"sysctl kernel.core_pattern='|/bin/false'"}}};
  }
  findings.push_back(std::move(finding));
}

void CheckSettings(const HostFacts& facts, std::vector<Finding>& findings) {
  if (facts.suid_dumpable == 1) {
    Finding finding = HostFinding(FindingCode::kSuidDumpable, "has fs.suid_dumpable = 1");
    finding.effect = "users can read the memory of setuid programs from their dumps";
    finding.fixes = {{"for the host, as root", "", "", {"sysctl fs.suid_dumpable=0"}}};
    findings.push_back(std::move(finding));
  }
  if (facts.max_map_count < kDefaultMapCount) {
    Finding finding = HostFinding(FindingCode::kMapCount,
                                  absl::StrCat("has vm.max_map_count = ", facts.max_map_count,
                                               ", less than the usual ", kDefaultMapCount));
    finding.severity = Severity::kWarning;
    finding.fixes = {{"for the host, as root", "", "", {"sysctl vm.max_map_count=262144"}}};
    findings.push_back(std::move(finding));
  }
  if (facts.secret_memory == false) {
    Finding finding = HostFinding(FindingCode::kNoSecretMemory, "has no secret memory");
    finding.effect = "policies with `backing: [SecretMemory]` fall back to the next backing";
    findings.push_back(std::move(finding));
  }
}

std::string NameOf(const ProcessRow& row) {
  return absl::StrCat(Printable(row.comm), "[", row.pid, "]");
}

// One finding for all `rows`; nothing for none.
void AddSummary(FindingCode code, const char* what, const std::vector<const ProcessRow*>& rows,
                std::vector<Finding>& findings) {
  if (rows.empty()) return;
  std::vector<std::string> names;
  for (const ProcessRow* row : rows) {
    if (names.size() < kMostNamed) names.push_back(NameOf(*row));
  }
  Finding finding = HostFinding(
      code,
      absl::StrCat("has ", rows.size(), rows.size() == 1 ? " process " : " processes ", what, ": ",
                   absl::StrJoin(names, ", "), rows.size() > names.size() ? ", …" : ""));
  finding.check = absl::StrCat("pagewarden doctor --pid ", rows.front()->pid);
  findings.push_back(std::move(finding));
}

bool LimitIsZero(const ProcessRow& row) {
  return !row.cap_ipc_lock && row.soft_limit_bytes == uint64_t{0};
}

bool IsUnlimited(const ProcessRow& row) { return !row.soft_limit_bytes; }

bool HasDrift(const ProcessRow& row) { return row.drift_bytes > 0; }

bool CouldNotLock(const ProcessRow& row) { return row.shim && row.shim->lock_errors > 0; }

}  // namespace

std::vector<Finding> CheckHost(const HostFacts& facts) {
  std::vector<Finding> findings;
  CheckSwap(facts, findings);
  CheckHibernation(facts, findings);
  CheckCoreDumps(facts, findings);
  CheckSettings(facts, findings);
  return findings;
}

std::vector<Finding> CheckProcesses(const std::vector<ProcessRow>& processes) {
  struct Question {
    bool (*is_true)(const ProcessRow&);
    FindingCode code;
    Severity severity;
    const char* what;
  };
  constexpr Question kQuestions[] = {
      {LimitIsZero, FindingCode::kLockingForbidden, Severity::kInfo, "that may lock nothing"},
      {IsUnlimited, FindingCode::kUnlimited, Severity::kInfo, "without any limit"},
      {HasDrift, FindingCode::kDrift, Severity::kWarning, "whose VmLck counts too much"},
      {CouldNotLock, FindingCode::kHardLimit, Severity::kError, "whose shim was refused a lock"},
  };
  std::vector<Finding> findings;
  for (const Question& question : kQuestions) {
    std::vector<const ProcessRow*> rows;
    for (const ProcessRow& row : processes) {
      if (question.is_true(row)) rows.push_back(&row);
    }
    AddSummary(question.code, question.what, rows, findings);
    if (!rows.empty()) findings.back().severity = question.severity;
  }
  return findings;
}

}  // namespace pagewarden
