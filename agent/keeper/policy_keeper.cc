// SPDX-License-Identifier: Apache-2.0
#include "agent/keeper/policy_keeper.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/keeper/policy_files.h"

namespace pagewarden {
namespace {

// A burst is over when nothing has happened for this long, or after the longest.
constexpr absl::Duration kSettle = absl::Milliseconds(100);
constexpr absl::Duration kLongestBurst = absl::Milliseconds(500);

// Where no hint comes: a link into another directory, a file system without inotify.
constexpr absl::Duration kBetweenLooks = absl::Seconds(5);

// Other commands publish too, with modes of their own; the agent's are to hold.
constexpr absl::Duration kBetweenSweeps = absl::Seconds(2);

absl::CivilDay DayOf(absl::Time now) { return absl::ToCivilDay(now, absl::UTCTimeZone()); }

absl::Time NextMidnight(absl::CivilDay day) {
  return absl::FromCivil(absl::CivilSecond(day + 1), absl::UTCTimeZone());
}

HostIdentity HostOn(absl::CivilDay day) {
  HostIdentity host = ReadHostIdentity();
  host.today = day;
  return host;
}

PolicySources SourcesOf(const KeeperOptions& options) {
  return {options.directories, options.shipped, options.max_mode,
          absl::StrCat(options.runtime_dir, "/mode")};
}

}  // namespace

PolicyKeeper::PolicyKeeper(KeeperOptions options)
    : options_(std::move(options)), sources_(SourcesOf(options_)) {}

absl::StatusOr<PolicyKeeper> PolicyKeeper::Open(KeeperOptions options) {
  PolicyKeeper keeper(std::move(options));
  if (keeper.options_.publishes) {
    auto images = ImageKeeper::Open(keeper.options_.runtime_dir, keeper.options_.shim_path);
    if (!images.ok()) return images.status();
    keeper.images_ = *std::move(images);
  }
  keeper.Reload(absl::Now());
  return keeper;
}

std::set<std::string> PolicyKeeper::PolicyNames() const {
  std::set<std::string> names;
  for (const AllocationPolicy& policy : status_.set->policies) names.insert(policy.metadata.name);
  for (const AllocationPolicy& policy : shipped_) names.insert(policy.metadata.name);
  return names;
}

absl::Time PolicyKeeper::Deadline() const {
  const absl::Time settled = std::min(last_hint_ + kSettle, first_hint_ + kLongestBurst);
  return std::min({settled, next_look_, next_sweep_, NextMidnight(today_)});
}

void PolicyKeeper::NoteTime(absl::Time now) {
  if (now < noted_) {
    next_look_ = next_sweep_ = now;
    if (first_hint_ != absl::InfiniteFuture()) first_hint_ = last_hint_ = now;
  }
  noted_ = now;
}

bool PolicyKeeper::Poll(absl::Time now) {
  NoteTime(now);
  if (watch_.fd() >= 0 && watch_.Drain()) {
    first_hint_ = std::min(first_hint_, now);
    last_hint_ = now;
  }
  if (DayOf(now) != today_) {  // exceptions end, and with them what files say
    Reload(now);
    return true;
  }
  const bool is_settled = now >= std::min(last_hint_ + kSettle, first_hint_ + kLongestBurst);
  if ((is_settled || now >= next_look_) && LookAtFiles(now)) return true;
  if (images_ && now >= next_sweep_) {
    next_sweep_ = now + kBetweenSweeps;
    images_->RemoveGone();
    if (status_.last_success != absl::InfinitePast()) {
      images_->Restore(*status_.set, shipped_, HostOn(today_), status_.generation);
    }
  }
  return false;
}

bool PolicyKeeper::SetMaxMode(std::optional<abi::Mode> max_mode, absl::Time now) {
  if (max_mode == sources_.max_mode) return false;
  sources_.max_mode = max_mode;
  Reload(now);
  return true;
}

bool PolicyKeeper::LookAtFiles(absl::Time now) {
  next_look_ = now + kBetweenLooks;
  const bool is_hint = first_hint_ != absl::InfiniteFuture();
  // Descriptors of what was removed or swapped tell nothing of what took its place.
  if (is_hint) watch_.Arm(sources_.directories, {sources_.override_path}).IgnoreError();
  first_hint_ = last_hint_ = absl::InfiniteFuture();
  if (PolicyFilesPrint(sources_.directories, {sources_.override_path}) == print_) return false;
  Reload(now);
  return true;
}

void PolicyKeeper::Reload(absl::Time now) {
  NoteTime(now);
  next_look_ = now + kBetweenLooks;
  next_sweep_ = now + kBetweenSweeps;
  first_hint_ = last_hint_ = absl::InfiniteFuture();
  today_ = DayOf(now);
  // In this order a change that comes meanwhile is seen the next time.
  watch_.Arm(sources_.directories, {sources_.override_path}).IgnoreError();
  print_ = PolicyFilesPrint(sources_.directories, {sources_.override_path});
  Take(LoadPolicies(sources_), now);
}

void PolicyKeeper::Take(LoadedPolicies loaded, absl::Time now) {
  status_.last_attempt = now;
  if (loaded.errors.empty()) Publish(loaded, now, loaded.errors);
  status_.last_reload_ok = loaded.errors.empty();
  status_.errors = std::move(loaded.errors);
  if (!status_.last_reload_ok) return;
  warnings_ = std::move(loaded.warnings);
  shipped_ = std::move(loaded.shipped);
  status_.last_success = now;
  status_.set = std::make_shared<const PolicySet>(std::move(loaded.set));
  status_.loaded = std::move(loaded.loaded);
  status_.hash = std::move(loaded.hash);
}

void PolicyKeeper::Publish(const LoadedPolicies& loaded, absl::Time now,
                           std::vector<std::string>& errors) {
  if (!images_) return;
  const HostIdentity host = HostOn(DayOf(now));
  absl::Status status = images_->Check(loaded.set, loaded.shipped, host);
  if (status.ok()) {
    status = images_->Publish(loaded.set, loaded.shipped, host, status_.generation);
    // All or none: the old ones are still the ones in force.
    if (!status.ok()) {
      images_->Publish(*status_.set, shipped_, host, status_.generation).IgnoreError();
    }
  }
  if (!status.ok()) errors.emplace_back(status.message());
}

}  // namespace pagewarden
