// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/fork.h"

#include "preload/pins/data.h"
#include "preload/pins/pins.h"
#include "preload/pins/process.h"
#include "preload/pins/stacks.h"

namespace pagewarden {

void LookBeforeFork() {
  NoticeModules();
  NoticeMemory();
}

void BeforeForkOfPins() { HoldPins(); }

void AfterForkOfPinsInParent() { ReleasePins(); }

void AfterForkOfPinsInChild() {
  ForgetBirths();
  RelockPins();
  RelockProcess();
}

void AfterUnseenForkOfPins() { DisownPins(); }

}  // namespace pagewarden
