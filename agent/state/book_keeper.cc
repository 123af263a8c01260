// SPDX-License-Identifier: Apache-2.0
#include "agent/state/book_keeper.h"

#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/audit/events.h"
#include "agent/state/book_files.h"
#include "agent/state/cgroup_books.h"
#include "agent/state/process_books.h"
#include "agent/state/state_directory.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxJournalBytes = 4 << 20;
constexpr size_t kMaxSkipped = 1 << 16;
constexpr size_t kMaxReasons = 256;
// Of a process that no snapshot has seen.
constexpr char kUnknownPolicy[] = "(unknown)";

}  // namespace

struct BookKeeper::State {
  explicit State(const CgroupHierarchy* hierarchy) : cgroups(hierarchy) {}

  void Load();
  void AddGuardHit(const WatchEvent& event);
  void AddSkipped(const CoverageReport& coverage);
  StoredBooks All() const;
  StoredBooks Changes();
  absl::Status Append();
  void ForgetChanges();

  std::optional<BookFiles> files;  // none: the directory cannot be used
  absl::Status unusable;
  std::vector<std::string> notes;

  Books books;
  CgroupBooks cgroups;
  ProcessBooks processes;
  std::map<pid_t, SkippedProcess> skipped;
  PolicyNames loaded = {kUnknownPolicy};
  // What was shown of policies before the agent was killed; until the first update.
  std::map<std::string, PolicyBook> floors;

  std::set<std::string> changed_policies;
  std::map<pid_t, SkippedProcess> newly_skipped;
  bool changed_counts = false;
};

void BookKeeper::State::Load() {
  LoadedBooks loaded = files->Load(notes);
  books = std::move(loaded.stored.books);
  cgroups.oom_seen() = std::move(loaded.stored.oom_seen);
  processes = std::move(loaded.stored.processes);
  skipped = std::move(loaded.stored.skipped);
  floors = std::move(loaded.floors);
}

void BookKeeper::State::AddGuardHit(const WatchEvent& event) {
  const auto process = processes.find(event.pid);
  const std::string policy = process == processes.end() ? kUnknownPolicy : process->second.policy;
  AddCount(1, PolicyBookOf(policy, loaded, books.policies).guard_hits);
  // Both may be higher than what is kept: the hit counts on top of that.
  if (const auto floor = floors.find(policy); floor != floors.end()) {
    AddCount(1, floor->second.guard_hits);
  }
  changed_policies.insert(policy);
}

void BookKeeper::State::AddSkipped(const CoverageReport& coverage) {
  std::map<pid_t, SkippedProcess> now;
  for (const CoveredProcess& process : coverage.processes) {
    if (process.state != CoverageState::kUncovered || now.size() >= kMaxSkipped) continue;
    SkippedProcess entry = {process.exe, process.policy, process.reason};
    const auto before = skipped.find(process.pid);
    if (before == skipped.end() || !(before->second == entry)) {
      std::map<std::string, uint64_t>& counts = books.shims_skipped;
      const bool full = counts.size() >= kMaxReasons && counts.count(entry.reason) == 0;
      AddCount(1, counts[full ? kOtherName : entry.reason]);
      newly_skipped[process.pid] = entry;
      changed_counts = true;
    }
    now[process.pid] = std::move(entry);
  }
  skipped = std::move(now);
}

StoredBooks BookKeeper::State::All() const {
  StoredBooks all;
  all.books = books;
  all.oom_seen = cgroups.oom_seen();
  all.processes = processes;
  all.skipped = skipped;
  return all;
}

StoredBooks BookKeeper::State::Changes() {
  StoredBooks changes;
  for (const std::string& path : cgroups.changed()) {
    const auto book = books.cgroups.find(path);
    if (book == books.cgroups.end()) continue;
    changes.books.cgroups[path] = book->second;
    changes.oom_seen[path] = cgroups.oom_seen()[path];
  }
  for (const std::string& name : changed_policies) {
    const auto book = books.policies.find(name);
    const std::string key = book == books.policies.end() ? kOtherName : name;
    if (books.policies.count(key) > 0) changes.books.policies[key] = books.policies[key];
  }
  if (changed_counts) changes.books.shims_skipped = books.shims_skipped;
  changes.skipped = newly_skipped;
  return changes;
}

absl::Status BookKeeper::State::Append() {
  if (cgroups.changed().empty() && changed_policies.empty() && !changed_counts) {
    return absl::OkStatus();
  }
  const absl::Status status = files->Append(FormatBooks(Changes()));
  if (status.ok()) ForgetChanges();
  return status;
}

void BookKeeper::State::ForgetChanges() {
  cgroups.changed().clear();
  changed_policies.clear();
  newly_skipped.clear();
  changed_counts = false;
}

BookKeeper::BookKeeper(std::unique_ptr<State> state) : state_(std::move(state)) {}
BookKeeper::BookKeeper(BookKeeper&&) noexcept = default;
BookKeeper& BookKeeper::operator=(BookKeeper&&) noexcept = default;
BookKeeper::~BookKeeper() = default;

absl::StatusOr<BookKeeper> BookKeeper::Open(const std::string& state_dir,
                                            const CgroupHierarchy* hierarchy) {
  auto directory = StateDirectory::Open(state_dir);
  if (absl::IsFailedPrecondition(directory.status())) return directory.status();
  auto state = std::make_unique<State>(hierarchy);
  if (directory.ok()) {
    state->files.emplace(*std::move(directory));
    state->Load();
  } else {
    state->unusable = directory.status();
    state->notes.push_back(absl::StrCat("the books begin anew: ", directory.status().message()));
  }
  return BookKeeper(std::move(state));
}

void BookKeeper::Add(const WatchEvent& event) {
  if (event.guard_hit) return state_->AddGuardHit(event);
  if (event.attempt && IsRefusal(event)) state_->cgroups.AddDenial(event, state_->books.cgroups);
}

void BookKeeper::SetPolicies(std::set<std::string> loaded) {
  state_->loaded = std::move(loaded);
  state_->loaded.insert(kUnknownPolicy);
}

void BookKeeper::Update(const AuditReport& report, const CoverageReport& coverage, absl::Time now) {
  State& state = *state_;
  state.cgroups.Update(report, now, state.books.cgroups);
  std::vector<std::string> changed;
  AddLedgers(report, state.processes, state.loaded, state.books.policies, changed);
  for (const auto& [name, floor] : state.floors) {
    RaiseTo(floor, state.books.policies[name]);
    changed.push_back(name);
  }
  state.floors.clear();
  state.changed_policies.insert(changed.begin(), changed.end());
  state.AddSkipped(coverage);
}

const Books& BookKeeper::books() const { return state_->books; }

absl::Status BookKeeper::Journal() {
  State& state = *state_;
  if (!state.files) return state.unusable;
  if (state.files->journal_bytes() > kMaxJournalBytes) return Save();
  return state.Append();
}

absl::Status BookKeeper::Save() {
  State& state = *state_;
  if (!state.files) return state.unusable;
  // Before the first update, the sums and what they are sums of are of different times.
  if (!state.floors.empty()) return state.Append();
  const absl::Status status = state.files->Save(FormatBooks(state.All()));
  if (status.ok()) state.ForgetChanges();
  return status;
}

const std::vector<std::string>& BookKeeper::notes() const { return state_->notes; }

}  // namespace pagewarden
