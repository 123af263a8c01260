// SPDX-License-Identifier: Apache-2.0
#include "agent/state/cgroup_books.h"

#include <algorithm>
#include <utility>

#include "agent/audit/events.h"
#include "agent/state/oom_kills.h"
#include "agent/state/process_books.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxCgroups = 8192;
// So long a cgroup that is gone is remembered: longer than anybody's scrape interval.
constexpr absl::Duration kKeepGone = absl::Minutes(10);

}  // namespace

CgroupBook& CgroupBooks::BookOf(const std::string& path, uint64_t id, absl::Time now,
                                std::map<std::string, CgroupBook>& books) {
  auto it = books.find(path);
  const bool is_another =
      it != books.end() && id != 0 && it->second.cgroup_id != 0 && it->second.cgroup_id != id;
  if (it == books.end() || is_another) {
    const bool full = it == books.end() && books.size() >= kMaxCgroups;
    const std::string& name = full ? kOtherName : path;
    if (full && books.count(name) > 0) return books[name];
    // A cgroup made anew begins at 0.
    oom_seen_[name] = is_another ? 0 : OomKillsBefore(name);
    it = books.insert_or_assign(name, CgroupBook()).first;
    changed_.insert(name);
  }
  CgroupBook& book = it->second;
  if (book.cgroup_id == 0 && it->first == path) book.cgroup_id = id;
  book.last_seen = now;
  return book;
}

void CgroupBooks::AddDenial(const WatchEvent& event, std::map<std::string, CgroupBook>& books) {
  const uint64_t id = hierarchy_ == nullptr ? 0 : CgroupInode(*hierarchy_, event.cgroup);
  CgroupBook& book = BookOf(event.cgroup, id, event.time, books);
  AddCount(1 + event.attempt->repeats, book.denials[VerdictCode(*event.verdict)]);
  changed_.insert(books.count(event.cgroup) > 0 ? event.cgroup : kOtherName);
}

void CgroupBooks::RaisePeak(const std::string& path, uint64_t bytes, CgroupBook& book) {
  if (bytes <= book.peak_locked_bytes) return;
  book.peak_locked_bytes = bytes;
  changed_.insert(path);
}

void CgroupBooks::CountOomKills(const std::string& path, CgroupBook& book) {
  if (hierarchy_ == nullptr || path == kOtherName || book.peak_locked_bytes == 0) return;
  const OomKills* const kills = oom_kills_.Find(path);
  const auto count = kills == nullptr ? std::nullopt : kills->last;
  uint64_t& seen = oom_seen_[path];
  if (!count || *count == seen) return;
  if (*count > seen) AddCount(*count - seen, book.oom_kills);
  seen = *count;
  changed_.insert(path);
}

// Kills before a cgroup locked anything are not ours.
uint64_t CgroupBooks::OomKillsBefore(const std::string& path) const {
  const OomKills* const kills = oom_kills_.Find(path);
  return kills == nullptr ? 0 : kills->first.value_or(0);
}

void CgroupBooks::ReadOomKills(const AuditReport& report) {
  if (hierarchy_ == nullptr) return;
  oom_kills_.StartRound();
  for (const CgroupRow& cgroup : report.cgroups) {
    // A process that was killed is missing: the sign is another one.
    oom_kills_.Get(cgroup.path, cgroup.sign, [&](OomKills& kills) {
      kills.last = pagewarden::ReadOomKills(*hierarchy_, cgroup.path);
      if (!kills.first) kills.first = kills.last.value_or(0);
    });
  }
  oom_kills_.EndRound();
}

// An empty cgroup is in no report, and not gone. What is of no known cgroup stays.
void CgroupBooks::DropGone(absl::Time now, std::map<std::string, CgroupBook>& books) {
  for (auto it = books.begin(); it != books.end();) {
    CgroupBook& book = it->second;
    const bool is_named = !it->first.empty() && it->first != kOtherName;
    if (!is_named || now - book.last_seen < kKeepGone) {
      ++it;
    } else if (hierarchy_ != nullptr && book.cgroup_id != 0 &&
               CgroupInode(*hierarchy_, it->first) == book.cgroup_id) {
      book.last_seen = now;
      ++it;
    } else {
      oom_seen_.erase(it->first);
      it = books.erase(it);
    }
  }
}

uint64_t CgroupBooks::IdOf(const CgroupRow& cgroup) const {
  if (cgroup.id != 0 || hierarchy_ == nullptr) return cgroup.id;
  return CgroupInode(*hierarchy_, cgroup.path);
}

void CgroupBooks::Update(const AuditReport& report, absl::Time now,
                         std::map<std::string, CgroupBook>& books) {
  ReadOomKills(report);
  for (const CgroupRow& cgroup : report.cgroups) {
    const uint64_t bytes = std::max(cgroup.own.locked_bytes, cgroup.own.peak.bytes);
    if (bytes == 0 && books.count(cgroup.path) == 0) continue;
    CgroupBook& book = BookOf(cgroup.path, IdOf(cgroup), now, books);
    if (books.count(cgroup.path) == 0) {
      RaisePeak(kOtherName, bytes, book);
      continue;
    }
    RaisePeak(cgroup.path, bytes, book);
    CountOomKills(cgroup.path, book);
  }
  DropGone(now, books);
}

}  // namespace pagewarden
