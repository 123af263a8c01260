// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "agent/audit/json_parts.h"

namespace pagewarden {
namespace {

using Json = OrderedJson;

Json HoldersJson(const UidResidue& residue) {
  Json json = Json::array();
  for (const ResidueHolder& holder : residue.holders) {
    json.push_back({{"kind", holder.kind},
                    {"pid", holder.pid},
                    {"comm", holder.comm},
                    {"files", holder.files},
                    {"bytes", OrNull(holder.bytes)}});
  }
  return json;
}

Json SegmentsJson(const UidResidue& residue) {
  Json json = Json::array();
  for (const LockedSegment& segment : residue.segments) {
    json.push_back({{"shmid", segment.shmid},
                    {"bytes", segment.bytes},
                    {"creatorPid", segment.creator_pid},
                    {"ipcNamespace", segment.ipc_namespace},
                    {"attached", segment.attached}});
  }
  return json;
}

void AddDetails(const UidResidue& residue, Json& json) {
  json["explainedBytes"] = residue.explained_bytes;
  json["shmLockedBytes"] = residue.shm_locked_bytes;
  json["holders"] = HoldersJson(residue);
  json["lockedSegments"] = SegmentsJson(residue);
}

}  // namespace

OrderedJson UidsJson(const AuditReport& report) {
  std::set<uid_t> uids;
  for (const auto& [uid, bytes] : report.residue) uids.insert(uid);
  for (const auto& [uid, details] : report.residue_details) uids.insert(uid);
  Json json = Json::array();
  for (const uid_t uid : uids) {
    const auto bytes = report.residue.find(uid);
    Json entry = {{"uid", uid},
                  {"residueBytes", bytes == report.residue.end() ? 0 : bytes->second}};
    const auto details = report.residue_details.find(uid);
    if (details != report.residue_details.end()) AddDetails(details->second, entry);
    json.push_back(std::move(entry));
  }
  return json;
}

OrderedJson HooksJson(const std::vector<HookReport>& hooks) {
  Json json = Json::array();
  for (const HookReport& hook : hooks) {
    json.push_back({{"question", hook.question},
                    {"hook", hook.hook.empty() ? Json(nullptr) : Json(hook.hook)},
                    {"refused", hook.refused},
                    {"runs", hook.runs},
                    {"runTimeNs", hook.run_time_ns},
                    {"lost", hook.lost}});
  }
  return json;
}

}  // namespace pagewarden
