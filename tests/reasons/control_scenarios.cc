// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/reasons/scenario.h"
#include "tests/reasons/setup.h"

namespace pagewarden {
namespace {

long Mlock(Stage& stage) { return mlock(stage.address, stage.bytes); }

std::string Within(Stage& stage) {
  stage.bytes = 64 * kKiB;
  stage.address = Map(stage.bytes);
  SetLimit(kPlainLimit);
  BecomeNobody();
  return "";
}

// The kernel asks for the capability, then subtracts what is locked already.
std::string LockedAlready(Stage& stage) {
  Within(stage);
  return mlock(stage.address, stage.bytes) == 0 ? "" : "locking failed";
}

std::string RootWithin(Stage& stage) {
  stage.bytes = 64 * kKiB;
  stage.address = Map(stage.bytes);
  SetLimit(kPlainLimit);
  return "";
}

long MapLocked(Stage& stage) {
  return syscall(SYS_mmap, nullptr, stage.bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
}

std::string FutureWithin(Stage& stage) {
  Within(stage);
  return mlockall(MCL_FUTURE) == 0 ? "" : "mlockall(MCL_FUTURE) failed";
}

long GrowHeap(Stage& stage) {
  const long wanted = syscall(SYS_brk, 0) + static_cast<long>(stage.bytes);
  return syscall(SYS_brk, wanted) >= wanted ? 0 : -1;
}

long MapUnlocked(Stage& stage) { return Map(stage.bytes) == nullptr ? -1 : 0; }

}  // namespace

std::vector<Scenario> ControlScenarios() {
  const SeenBy question = SeenBy::kQuestion;
  return {
      {"within", "mlock", 0, 0, "", question, Within, Mlock},
      {"within-locked-again", "mlock", 0, 0, "", question, LockedAlready, Mlock},
      {"within-root", "mlock", 0, 0, "", question, RootWithin, Mlock},
      {"within-map-locked", "mmap", 0, 0, "", question, Within, MapLocked},
      {"within-map-locked-root", "mmap", 0, 0, "", question, RootWithin, MapLocked},
      {"within-future-brk", "brk", 0, 0, "", question, FutureWithin, GrowHeap},
      {"not-locked", "mmap", 0, 0, "", question, Within, MapUnlocked},
  };
}

}  // namespace pagewarden
