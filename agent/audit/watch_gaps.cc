// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/watch_gaps.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pagewarden {
namespace {

using Hooks = std::vector<HookReport>;

const HookReport* Find(const Hooks& hooks, absl::string_view question) {
  const auto found = std::find_if(hooks.begin(), hooks.end(), [question](const HookReport& hook) {
    return hook.question == question;
  });
  return found == hooks.end() ? nullptr : &*found;
}

bool IsAnswered(const Hooks& hooks, absl::string_view question) {
  const HookReport* const hook = Find(hooks, question);
  return hook != nullptr && !hook->hook.empty();
}

std::string Why(const Hooks& hooks, absl::string_view question) {
  const HookReport* const hook = Find(hooks, question);
  return hook == nullptr || hook->refused.empty() ? "no hook loads" : hook->refused.back();
}

// Of the questions that a hook on CAP_IPC_LOCK leaves open.
std::string Note(const Hooks& hooks) {
  std::vector<std::string> unseen;
  if (!IsAnswered(hooks, "results")) {
    unseen.push_back("refusals that no limit caused (--trace-syscalls sees them)");
  }
  if (!IsAnswered(hooks, "faults")) unseen.push_back("stacks that a limit keeps from growing");
  if (!IsAnswered(hooks, "io_uring buffers")) unseen.push_back("refused io_uring buffers");
  if (unseen.empty()) return "";
  return absl::StrCat("not seen here : ", absl::StrJoin(unseen, ", "), "; --hooks says why");
}

}  // namespace

WatchGaps GapsOf(const Hooks& hooks) {
  WatchGaps gaps;
  if (!IsAnswered(hooks, "denials") && !IsAnswered(hooks, "results")) {
    gaps.serious.push_back(absl::StrCat("refusals are not seen : ", Why(hooks, "denials")));
  } else {
    gaps.note = Note(hooks);
  }
  if (!IsAnswered(hooks, "peaks")) {
    gaps.serious.push_back(
        absl::StrCat("peaks between two reports are not seen : ", Why(hooks, "peaks")));
  }
  if (!IsAnswered(hooks, "guard hits")) {
    gaps.serious.push_back(absl::StrCat("guard hits are not seen : ", Why(hooks, "guard hits")));
  }
  return gaps;
}

std::string LossOf(const Hooks& hooks) {
  std::vector<std::string> lost;
  for (const HookReport& hook : hooks) {
    if (hook.lost > 0) lost.push_back(absl::StrCat(hook.lost, " of ", hook.question));
  }
  if (lost.empty()) return "";
  return absl::StrCat("events were lost : ", absl::StrJoin(lost, ", "));
}

}  // namespace pagewarden
