// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/folded_counts.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "agent/state/state_directory.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxStateBytes = 16 << 20;
constexpr char kOomKills[] = "";
constexpr int kVersion = 1;

std::map<std::string, uint64_t> CountsOf(const CgroupFigures& figures) {
  std::map<std::string, uint64_t> counts = figures.denials;
  if (figures.oom_kills > 0) counts[kOomKills] = figures.oom_kills;
  return counts;
}

void SetCounts(std::map<std::string, uint64_t> counts, CgroupFigures& figures) {
  const auto kills = counts.find(kOomKills);
  figures.oom_kills = kills == counts.end() ? 0 : kills->second;
  counts.erase(kOomKills);
  figures.denials = std::move(counts);
}

std::string Directory(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string Name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

FoldedCounts::FoldedCounts(std::string state_path) : state_path_(std::move(state_path)) { Load(); }

void FoldedCounts::Add(const CgroupFigures& figures, bool exported) {
  const Counts counts = CountsOf(figures);
  if (counts.empty()) return;
  Share& share = shares_[figures.path];
  if (share.id != figures.id) share = {figures.id, {}, {}};
  for (const auto& [reason, count] : counts) {
    const uint64_t known = share.own[reason] + share.folded[reason];
    if (count == known) continue;
    changed_ = true;
    if (count < known) {  // its book was lost, and begins anew
      share.own[reason] = exported ? count : 0;
      share.folded[reason] = exported ? 0 : count;
      if (!exported) total_[reason] += count;
    } else if (exported) {
      share.own[reason] += count - known;
    } else {
      share.folded[reason] += count - known;
      total_[reason] += count - known;
    }
  }
}

void FoldedCounts::Settle(const CgroupSplit& split, std::vector<CgroupFigures>& cgroups,
                          CgroupFigures& other) {
  std::set<std::string> present;
  for (const bool exported : {true, false}) {
    for (const size_t i : exported ? split.exported : split.folded) {
      Add(cgroups[i], exported);
      if (shares_.count(cgroups[i].path) > 0) present.insert(cgroups[i].path);
    }
  }
  for (auto share = shares_.begin(); share != shares_.end();) {
    share = present.count(share->first) > 0 ? std::next(share) : shares_.erase(share);
  }
  for (const size_t i : split.exported) {
    const auto share = shares_.find(cgroups[i].path);
    if (share != shares_.end()) SetCounts(share->second.own, cgroups[i]);
  }
  SetCounts(total_, other);
  if (changed_) Save();
}

// CBOR: a path may be any bytes, which JSON cannot hold.
void FoldedCounts::Load() {
  if (state_path_.empty()) return;
  const auto directory = StateDirectory::Open(Directory(state_path_));
  if (!directory.ok()) return;
  const auto bytes = directory->Read(Name(state_path_), kMaxStateBytes);
  if (!bytes.ok()) return;
  try {
    const nlohmann::json state = nlohmann::json::from_cbor(*bytes);
    if (state.at("version") != kVersion) return;
    std::map<std::string, Share> shares;
    for (const auto& [path, share] : state.at("cgroups").items()) {
      shares[path] = {share.at("id").get<uint64_t>(), share.at("own").get<Counts>(),
                      share.at("folded").get<Counts>()};
    }
    total_ = state.at("total").get<Counts>();
    shares_ = std::move(shares);
  } catch (const nlohmann::json::exception&) {
    // Not ours: counters begin anew, which Prometheus takes for a restart.
  }
}

void FoldedCounts::Save() {
  if (state_path_.empty()) return;
  nlohmann::json cgroups = nlohmann::json::object();
  for (const auto& [path, share] : shares_) {
    cgroups[path] = {{"id", share.id}, {"own", share.own}, {"folded", share.folded}};
  }
  const auto bytes =
      nlohmann::json::to_cbor({{"version", kVersion}, {"total", total_}, {"cgroups", cgroups}});
  const auto directory = StateDirectory::Open(Directory(state_path_));
  if (!directory.ok()) return;
  const absl::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  changed_ = !directory->Replace(Name(state_path_), view).ok();
}

}  // namespace pagewarden
