// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/audit/changes.h"
#include "agent/audit/json_parts.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

bool IsLimit(const Change& change) {
  return change.what == absl::string_view("softLimit") ||
         change.what == absl::string_view("hardLimit");
}

std::string Subject(const Change& change) {
  if (change.uid) return absl::StrCat("uid ", *change.uid);
  const std::string cgroup = CgroupName(change.cgroup);
  if (change.pid == 0) return cgroup;
  return absl::StrCat(ProcessName(change.comm, change.pid), " in ", cgroup);
}

const char* Words(const Change& change) {
  const absl::string_view what = change.what;
  if (what == "softLimit") return "limit";
  if (what == "hardLimit") return "hard limit";
  if (what == "shmLocked") return "SHM_LOCK";
  return change.what;
}

bool IsCoverage(const Change& change) {
  return change.what == absl::string_view("uncovered") ||
         change.what == absl::string_view("pending");
}

std::string CoverageChange(const Change& change) {
  const std::string reason = absl::StrReplaceAll(change.reason, {{"_", " "}});
  if (change.what == absl::string_view("pending")) {
    return reason.empty() ? "has the newest policies" : absl::StrCat("pending: ", reason);
  }
  if (reason.empty()) return "covered again";
  return absl::StrCat("uncovered: its secrets are not fenced: ", reason);
}

std::string Limit(std::optional<int64_t> bytes) {
  return bytes ? BytesAndKib(static_cast<uint64_t>(*bytes)) : "unlimited";
}

// Everything but limits is whole pages, so that KiB are exact.
std::string Values(const Change& change) {
  if (IsLimit(change)) return absl::StrCat(Limit(change.from), " -> ", Limit(change.to));
  return absl::StrCat(change.from.value_or(0) / 1024, " -> ", change.to.value_or(0) / 1024, " KiB");
}

}  // namespace

std::string ChangeText(const Change& change) {
  const std::string subject = Subject(change);
  if (IsCoverage(change)) return absl::StrCat(subject, " ", CoverageChange(change));
  return absl::StrCat(subject, " ", Words(change), " ", Values(change),
                      change.new_peak ? ", a new peak" : "", change.ended ? ", ended" : "");
}

std::string ChangeJson(const Change& change, absl::Time time) {
  OrderedJson json = {{"type", "change"}, {"time", JsonTime(time)}, {"what", change.what}};
  if (!change.cgroup.empty()) json["cgroup"] = change.cgroup;
  if (change.pid != 0) {
    json["pid"] = change.pid;
    json["comm"] = change.comm;
  }
  if (change.uid) json["uid"] = *change.uid;
  if (IsCoverage(change)) {
    json["reason"] = change.reason.empty() ? OrderedJson(nullptr) : OrderedJson(change.reason);
    return JsonLine(json) + "\n";
  }
  json["from"] = change.from ? OrderedJson(*change.from) : OrderedJson(nullptr);
  json["to"] = change.to ? OrderedJson(*change.to) : OrderedJson(nullptr);
  if (change.new_peak) json["newPeak"] = true;
  if (change.ended) json["ended"] = true;
  return JsonLine(json) + "\n";
}

}  // namespace pagewarden
