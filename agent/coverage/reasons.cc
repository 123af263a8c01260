// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/reasons.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

constexpr CoverageState kPending = CoverageState::kPending;
constexpr CoverageState kUncovered = CoverageState::kUncovered;

constexpr char kKeepOff[] =
    "keep its memory out of swap and core dumps: `pagewarden doctor --pid` has the commands";
constexpr char kRestart[] = "start it again under `pagewarden run`";
constexpr char kReport[] = "`pagewarden doctor --pid` tells more";

}  // namespace

const std::vector<CoverageReason>& CoverageReasons() {
  static const auto* const reasons = new std::vector<CoverageReason>{
      {"static", kUncovered, "is a static executable: no loader starts it that could preload",
       kKeepOff},
      {"libc", kUncovered, "is started by a loader that is neither glibc's nor musl's", kKeepOff},
      {"wrong_class", kUncovered, "is for another machine or word size than the shim",
       "run its build for this machine; until then keep its memory out of swap and core dumps"},
      {"secure_exec", kUncovered,
       "runs in secure-execution mode (setuid, setgid, file capabilities), and the loader ignores "
       "LD_PRELOAD",
       "`pagewarden doctor --pid` has the commands: an ambient capability instead of the file's, "
       "or `secureExec: Allow`"},
      {"started_before", kUncovered, "started before the policy was in force, and has no shim",
       kRestart},
      {"not_preloaded", kUncovered, "was started without the shim, with the policy in force",
       kRestart},
      {"not_loaded", kUncovered, "was told to preload the shim, and has it not",
       "install the shim where the loader finds it; in a container, mount it there"},
      {"disabled", kUncovered, "has the shim, which PAGEWARDEN_DISABLED turned off",
       "take PAGEWARDEN_DISABLED out of its environment and start it again"},
      {"no_image", kUncovered, "has the shim, which found no policy image",
       "start the agent or use `pagewarden run`, then start it again"},
      {"image_untrusted", kUncovered,
       "has the shim, which refused the policy image: others than root and its user may write it",
       "mend the owner and the mode of the image and its directory, then start it again"},
      {"image_invalid", kUncovered, "has the shim, which refused a damaged policy image",
       "publish the policies again (agent or `pagewarden run`), then start it again"},
      {"no_policy", kUncovered, "has the shim, whose image has no policy for it",
       "start it again: it then gets an image with the policy"},
      {"other_policy", kUncovered, "has the shim, under another policy",
       "start it again, without `--policy`: it then gets the policy"},
      {"shadowed", kUncovered, "has the shim, but another library defines malloc before it",
       "put the shim first in LD_PRELOAD, or take the other allocator out of the program"},
      {"sanitizer", kUncovered, "has the shim, but is a sanitizer's build, which comes first",
       "run a build without the sanitizer"},
      {"no_next_allocator", kUncovered, "has the shim, but no malloc that it could forward to",
       kKeepOff},
      {"no_fork_handler", kUncovered,
       "has the shim, which could not register with fork: its children would be unlocked", kReport},
      {"no_reservation", kUncovered, "has the shim, which got no address space for its arenas",
       "raise its RLIMIT_AS (systemd: LimitAS=), or let its seccomp filter allow mmap"},
      {"lock_failed", kUncovered, "has the shim, which could lock nothing",
       "raise its RLIMIT_MEMLOCK: `pagewarden doctor --pid` has the commands"},
      {"partly_locked", kUncovered, "has the shim, which could not lock all of its memory",
       "raise its RLIMIT_MEMLOCK: `pagewarden doctor --pid` has the commands"},
      {"invalid_ledger", kUncovered, "has a shim whose ledger is not valid: nothing in it counts",
       "use shim and agent of one version; else the program has damaged it"},
      {"unreadable", kUncovered, "cannot be looked at: rights are missing",
       "give the agent CAP_SYS_PTRACE, or run the audit as root"},
      {"starting", kPending, "has just started, and its loader may not have come to the shim yet",
       "none: the next audit looks at it again"},
      {"stale_policy", kPending, "follows, and has done nothing since that made it look",
       "nothing: it takes the newest policies over at its next tagged allocation, call of a "
       "hooked function, or file that it opens or closes"},
      {"needs_restart", kPending, "has rules that only a restart brings into force",
       "start it again"},
      {"mode_differs", kPending, "runs in another mode than the policy has", "start it again"},
  };
  return *reasons;
}

const CoverageReason* FindCoverageReason(absl::string_view word) {
  const std::vector<CoverageReason>& all = CoverageReasons();
  const auto found = std::find_if(
      all.begin(), all.end(), [word](const CoverageReason& reason) { return word == reason.word; });
  return found == all.end() ? nullptr : &*found;
}

std::string CoverageReasonsAsMarkdown() {
  std::string text = "| reason | state | the process … | what to do |\n|---|---|---|---|\n";
  for (const CoverageReason& reason : CoverageReasons()) {
    absl::StrAppend(&text, "| `", reason.word, "` | ", CoverageWord(reason.state), " | ",
                    reason.meaning, " | ", reason.step, " |\n");
  }
  return text;
}

}  // namespace pagewarden
