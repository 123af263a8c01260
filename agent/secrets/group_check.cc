// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/group_check.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/base/unique_fd.h"
#include "agent/proc/status.h"
#include "agent/proof/secret_bytes.h"
#include "agent/secrets/live_search.h"
#include "agent/secrets/watched_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxPlaces = 8;
constexpr size_t kMaxMappingName = 100;

// The name is the other process's choice.
std::string Printable(absl::string_view name) {
  std::string text(name.substr(0, kMaxMappingName));
  for (char& c : text) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return text;
}

std::string DescribePlace(const FoundCopy& copy) {
  return absl::StrCat(copy.representation, " in ", Printable(copy.mapping), " (",
                      PlaceKindName(copy.kind), copy.stale.value_or(false) ? ", stale)" : ")");
}

void AddPlace(const FoundCopy& copy, std::vector<std::string>& where) {
  std::string place = DescribePlace(copy);
  if (where.size() >= kMaxPlaces) return;
  if (std::find(where.begin(), where.end(), place) == where.end()) {
    where.push_back(std::move(place));
  }
}

bool IsAlive(pid_t pid) {
  const auto status = ReadStatus(pid);
  return status.ok() && status->has_memory;
}

UniqueFd OpenRoot(const GroupRequest& request) {
  const std::string root =
      request.sees_own_files ? "/" : absl::StrCat("/proc/", request.pids.front(), "/root");
  return UniqueFd(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

class GroupCheck {
 public:
  GroupCheck(const GroupRequest& request, const MayLook& may_look, Pacer& pacer)
      : request_(request), may_look_(may_look), pacer_(pacer) {
    options_.mapped_pages_of_files = true;
    options_.go_on = [this] { return pacer_.GoOn(); };
  }

  absl::Status Search() {
    NeedleSet needles;
    LoadFiles(needles);
    if (needles.size() == 0) return absl::OkStatus();
    const LiveSearch search(needles, options_);
    std::vector<LookResult> looks;
    for (const pid_t pid : request_.pids) {
      if (!may_look_(pid)) continue;
      auto seen = search.Look(pid);
      if (absl::IsCancelled(seen.status())) return seen.status();
      if (!seen.ok()) {
        AddFailure(pid, seen.status().message());
        continue;
      }
      NoteMissing(*seen, needles);
      looks.push_back(*std::move(seen));
    }
    if (!looks.empty() && !may_miss_) AddNotFound(needles);
    return Confirm(search, looks);
  }

  GroupResult result;

 private:
  void LoadFiles(NeedleSet& needles) {
    absl::Cleanup wipe = [] { WipeDeadStack(); };
    const UniqueFd root = OpenRoot(request_);
    const std::vector<uid_t> owners = FileOwners(request_.pids);
    for (const std::string& file : request_.files) {
      if (!root.ok()) {
        AddError(file, {"unreadable", "the file system of its processes cannot be opened"});
        continue;
      }
      const auto problem = AddSecretFile(root.get(), file, owners, needles);
      if (problem.has_value()) {
        AddError(file, *problem);
      } else {
        missing_.insert(file);
      }
    }
  }

  void NoteMissing(const LookResult& seen, const NeedleSet& needles) {
    if (!seen.has_secret_memory) {
      for (const std::string& line : seen.unreadable) AddFailure(seen.pid, line);
    }
    may_miss_ |= seen.has_secret_memory;
    for (const auto& [file, count] : seen.fenced) missing_.erase(file);
    for (const Copy& copy : seen.unfenced) missing_.erase(needles.Source(needles[copy.needle]));
  }

  absl::Status Confirm(const LiveSearch& search, const std::vector<LookResult>& looks) {
    const bool has_unfenced = std::any_of(
        looks.begin(), looks.end(), [](const LookResult& look) { return !look.unfenced.empty(); });
    if (has_unfenced && !pacer_.Sleep(request_.confirm_after)) {
      return absl::CancelledError("ended");
    }
    for (const LookResult& look : looks) {
      auto lasting = look.unfenced.empty() ? std::vector<FoundCopy>() : search.LookAgain(look);
      if (absl::IsCancelled(lasting.status())) return lasting.status();
      if (!lasting.ok()) AddFailure(look.pid, lasting.status().message());
      AddCopies(look, lasting.ok() ? *lasting : std::vector<FoundCopy>());
    }
    return absl::OkStatus();
  }

  void AddCopies(const LookResult& look, const std::vector<FoundCopy>& lasting) {
    std::map<std::string, SecretCopies> by_file;
    for (const auto& [file, count] : look.fenced) by_file[file].fenced = count;
    for (const FoundCopy& copy : lasting) {
      SecretCopies& copies = by_file[copy.secret];
      if (copy.locked && request_.has_pins) {
        ++copies.pinned;
      } else {
        ++copies.unfenced;
        AddPlace(copy, copies.where);
      }
    }
    const auto status = ReadStatus(look.pid);
    for (auto& [file, copies] : by_file) {
      copies.policy = request_.policy;
      copies.file = file;
      copies.pid = look.pid;
      if (status.ok()) copies.comm = status->comm;
      result.copies.push_back(std::move(copies));
    }
  }

  void AddError(const std::string& file, const SecretFileProblem& problem) {
    std::string text = problem.text;
    if (!request_.sees_own_files) {
      absl::StrAppend(&text, " (as process ", request_.pids.front(), " sees it)");
    }
    result.errors.push_back({request_.policy, file, problem.reason, std::move(text)});
  }

  void AddNotFound(const NeedleSet& needles) {
    for (const std::string& file : missing_) {
      if (needles.Shares(file)) continue;
      AddError(file, {kSecretNotFound, absl::StrCat("no copy in any of ", request_.pids.size(),
                                                    " processes: do they hold an older one?")});
    }
  }

  void AddFailure(pid_t pid, absl::string_view why) {
    if (!IsAlive(pid)) return;  // it is no failure, as the process is gone
    may_miss_ = true;
    ++result.failures;
    if (!result.first_failure.empty()) return;
    result.first_failure = Printable(absl::StrCat("process ", pid, ": ", why));
  }

  const GroupRequest& request_;
  const MayLook& may_look_;
  Pacer& pacer_;
  ScanOptions options_;
  std::set<std::string> missing_;  // files whose secret is searched for, and not found yet
  bool may_miss_ = false;          // some memory cannot be read
};

}  // namespace

absl::StatusOr<GroupResult> CheckGroup(const GroupRequest& request, const MayLook& may_look,
                                       Pacer& pacer) {
  absl::Cleanup wipe = [] { WipeDeadStack(); };
  GroupCheck check(request, may_look, pacer);
  const absl::Status status = check.Search();
  if (!status.ok()) return status;
  return std::move(check.result);
}

}  // namespace pagewarden
