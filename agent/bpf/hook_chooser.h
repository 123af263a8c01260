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
#include <type_traits>
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
  // "syscall") need no link. All or none: 0, or the errno.
  int Attach(const bpf_object* object, const std::vector<std::string>& programs);

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

  // nullptr: none works, and `status` says why: PermissionDenied only if all were
  // refused for that.
  std::unique_ptr<Skeleton, Destroy> hook;
  HookLinks links;  // after `hook`: detached before the skeleton goes
  absl::Status status;
  HookReport report;  // without counts

  // With what its programs have cost up to now.
  HookReport Report() const;
};

namespace hook_internal {

// The errno of an earlier refusal in this process; 0: none is known.
int RefusedBefore(const bpf_object* object, const HookCandidate& candidate);

// Sets which programs are loaded, loads, attaches. 0, or the errno.
int Try(const bpf_object* object, absl::FunctionRef<int()> load, const HookCandidate& candidate,
        HookLinks& links);

void AddRefusal(int error, const HookCandidate& candidate, HookReport& report,
                absl::Status& status);
void AddCounts(const bpf_object* object, HookReport& report);

}  // namespace hook_internal

// `configure(skeleton)`, or `configure(skeleton, candidate)`, runs before each load, to
// set constants and map sizes. `candidates`: best first. Thread-safe.
template <typename Skeleton, typename Configure>
HookChoice<Skeleton> ChooseHook(absl::string_view question,
                                const std::vector<HookCandidate>& candidates, Configure configure) {
  HookChoice<Skeleton> choice;
  choice.report.question = std::string(question);
  for (const HookCandidate& candidate : candidates) {
    choice.hook.reset(Skeleton::open());
    int error = choice.hook ? 0 : errno;
    if (error == 0) error = hook_internal::RefusedBefore(choice.hook->obj, candidate);
    if (error == 0) {
      if constexpr (std::is_invocable_v<Configure, Skeleton&, const HookCandidate&>) {
        configure(*choice.hook, candidate);
      } else {
        configure(*choice.hook);
      }
      const auto load = [&choice] { return Skeleton::load(choice.hook.get()); };
      error = hook_internal::Try(choice.hook->obj, load, candidate, choice.links);
    }
    if (error == 0) {
      choice.status = absl::OkStatus();
      choice.report.hook = candidate.hook;
      return choice;
    }
    hook_internal::AddRefusal(error, candidate, choice.report, choice.status);
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
