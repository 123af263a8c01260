// SPDX-License-Identifier: Apache-2.0
// Takes the best hook that works on this kernel: each is tried by loading and
// attaching it, never judged by the kernel's version.
//
//   auto choice = ChooseHook<refusals_bpf>(
//       "denials",
//       {{"tp_btf/cap_capable", {"on_cap_capable"}}, {"fexit/cap_capable", {"after_cap_capable"}}},
//       [](refusals_bpf& skeleton) { skeleton.rodata->hierarchy = 1; });
//   if (choice.hook) Read(choice.hook->maps.events);
//   reports.push_back(choice.Report());
//
// A refusal by the kernel is remembered for the life of the process, and the same
// programs are not tried again: a hook is untried, refused, or taken.
#pragma once

#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/bpf/hook_report.h"

namespace pagewarden {

struct HookCandidate {
  std::string hook;                   // as shown: "tp_btf/cap_capable"
  std::vector<std::string> programs;  // of the skeleton: all must work; no other is loaded
};

// The links of a candidate that was taken. Destroying it detaches the programs.
class HookLinks {
 public:
  HookLinks() = default;
  HookLinks(HookLinks&& other) noexcept : links_(std::exchange(other.links_, {})) {}
  HookLinks& operator=(HookLinks&& other) noexcept {
    std::swap(links_, other.links_);
    return *this;
  }
  ~HookLinks();

  // Attaches `programs`, which are loaded; those that are only run by call (SEC
  // "syscall") need no link. All or none.
  absl::Status Attach(const bpf_object* object, const std::vector<std::string>& programs);

  // Of an iterator program, for bpf_iter_create. nullptr: there is no link.
  bpf_link* first() const { return links_.empty() ? nullptr : links_[0]; }

 private:
  std::vector<bpf_link*> links_;
};

template <typename Skeleton>
struct HookChoice {
  struct Destroy {
    void operator()(Skeleton* skeleton) const { Skeleton::destroy(skeleton); }
  };

  // nullptr: none works, and `status` says why, of the last one tried.
  std::unique_ptr<Skeleton, Destroy> hook;
  HookLinks links;  // after `hook`: detached before the skeleton goes
  absl::Status status;
  HookReport report;  // without counts

  // With what its programs have cost up to now.
  HookReport Report() const;
};

namespace hook_internal {

// Whether the candidate was refused before; adds it to `report` if so.
bool WasRefused(const bpf_object* object, const HookCandidate& candidate, HookReport& report,
                absl::Status& status);

// Sets which programs are loaded, loads, attaches. Remembers and reports a refusal.
absl::Status Try(const bpf_object* object, absl::FunctionRef<int()> load,
                 const HookCandidate& candidate, HookLinks& links, HookReport& report);

void AddCounts(const bpf_object* object, HookReport& report);

}  // namespace hook_internal

// `configure(skeleton)` runs before each load, to set constants and map sizes.
// `candidates`: best first. Thread-safe.
template <typename Skeleton, typename Configure>
HookChoice<Skeleton> ChooseHook(absl::string_view question,
                                const std::vector<HookCandidate>& candidates, Configure configure) {
  HookChoice<Skeleton> choice;
  choice.report.question = std::string(question);
  choice.status = absl::InternalError("no hook was tried");
  for (const HookCandidate& candidate : candidates) {
    choice.hook.reset(Skeleton::open());
    if (!choice.hook) {
      choice.status = absl::ErrnoToStatus(errno, "opening a BPF skeleton");
      return choice;
    }
    Skeleton& skeleton = *choice.hook;
    if (hook_internal::WasRefused(skeleton.obj, candidate, choice.report, choice.status)) continue;
    configure(skeleton);
    const auto load = [&skeleton] { return Skeleton::load(&skeleton); };
    choice.status = hook_internal::Try(skeleton.obj, load, candidate, choice.links, choice.report);
    if (choice.status.ok()) return choice;
  }
  choice.hook.reset();
  return choice;
}

template <typename Skeleton>
HookReport HookChoice<Skeleton>::Report() const {
  HookReport result = report;
  if (hook) hook_internal::AddCounts(hook->obj, result);
  return result;
}

}  // namespace pagewarden
