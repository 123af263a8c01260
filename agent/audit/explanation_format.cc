// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/audit/formats.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

std::string Line(absl::string_view term, uint64_t bytes, absl::string_view source) {
  return absl::StrFormat("  %-28s%14u B%12u KiB%s%s\n", term, bytes, bytes / 1024,
                         source.empty() ? "" : "   ", source);
}

// Terms that are 0 are left out, but for the peak.
std::string Terms(const AuditReport& report, const LimitNeed& need) {
  const std::string peak_source =
      need.peak_exact ? "exact: every change was seen"
      : report.watched > absl::ZeroDuration()
          ? absl::StrCat("sampled: highest of the snapshots of ",
                         absl::FormatDuration(absl::Trunc(report.watched, absl::Seconds(1))))
          : "sampled: one snapshot; --watch sees more";
  std::string text = Line("peak of VmLck", need.peak_locked_bytes, peak_source);
  const auto add = [&text](absl::string_view term, uint64_t bytes, absl::string_view source) {
    if (bytes > 0) absl::StrAppend(&text, Line(term, bytes, source));
  };
  add("or VmPeak, if larger", need.future_bytes,
      "mlockall(MCL_FUTURE) is in force: every mapping counts");
  add("+ arenas not locked yet", need.unlocked_arena_bytes, "ledger of the shim");
  add("+ arenas that grow", need.arena_growth_bytes,
      "ledger of the shim: they have grown before, by steps that double");
  if (need.locked_need() != need.peak_locked_bytes) {
    add("= locked", need.locked_need(), "compared alone with the limit");
  }
  add("pinned (VmPin)", need.pinned_bytes, "compared alone with the limit, not added");
  add("charged to the user", need.uid_bytes,
      "io_uring, AF_XDP, SHM_LOCK … of all its processes; compared alone, not added");
  return text;
}

// What is in force: the process that needs most may not be the one with the least limit.
std::string Verdict(const CgroupSums& sums) {
  if (!sums.limit_min_bytes) return "  now: unlimited in every process\n";
  const bool enough = *sums.limit_min_bytes >= sums.recommendation.limit_bytes;
  return absl::StrCat("  now: ", LimitText(sums.limit_min_bytes),
                      " in the process with the least: ", enough ? "enough" : "too little", "\n");
}

// The words for the place where such a limit is set; KiB only where the file wants KiB.
std::string Setting(const CgroupIdentity& identity, uint64_t limit) {
  const std::string pair = absl::StrCat(limit, ":", limit);
  if (identity.runtime == "lxc") return absl::StrCat("limits.kernel.memlock ", limit, " (LXD)");
  if (identity.runtime == "cri-o" || !identity.qos.empty()) {
    return absl::StrCat("LimitMEMLOCK=", limit, " in the unit of the container runtime");
  }
  if (!identity.runtime.empty()) return absl::StrCat("--ulimit memlock=", pair);
  if (identity.kind == "service") {
    return absl::StrCat("LimitMEMLOCK=", limit, " under [Service] in a drop-in of ",
                        Printable(identity.unit));
  }
  if (!identity.session.empty()) {
    return absl::StrCat("USER - memlock ", limit / 1024, " in limits.conf, which counts KiB");
  }
  return absl::StrCat("prlimit --pid PID --memlock=", pair);
}

std::string Explain(const AuditReport& report, const CgroupRow& row) {
  const Recommendation& recommendation = row.own.recommendation;
  const LimitNeed& need = recommendation.largest;
  std::string text =
      absl::StrCat(Printable(ShortCgroupPath(row.path)), "\n  the limit is each process's own; of ",
                   row.own.processes, row.own.processes == 1 ? " process " : " processes ",
                   ProcessName(need.comm, need.pid), " needs most:\n", Terms(report, need));
  absl::StrAppend(&text, Line("need: the largest", need.need(), ""),
                  Line("+ headroom of a quarter", recommendation.headroom_bytes, ""),
                  Line("= rounded up to 64 KiB", recommendation.limit_bytes, "recommended"),
                  Verdict(row.own), "  set: ", Setting(row.identity, recommendation.limit_bytes),
                  "\n");
  if (row.own.processes > 1) {
    absl::StrAppend(&text, "  all of them have locked at most ", BytesAndKib(row.own.peak.bytes),
                    " together: what the cgroup's memory limit must leave room for\n");
  }
  return text;
}

}  // namespace

std::string FormatExplanation(const AuditReport& report) {
  std::string text;
  for (const CgroupRow& row : report.cgroups) {
    if (row.own.recommendation.limit_bytes == 0) continue;
    absl::StrAppend(&text, text.empty() ? "" : "\n", Explain(report, row));
  }
  if (text.empty()) return "no limit is needed: nothing in the selection locks or pins memory\n";
  return text;
}

}  // namespace pagewarden
