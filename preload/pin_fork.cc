// SPDX-License-Identifier: Apache-2.0
#include "preload/pin_fork.h"

#include "preload/pin_data.h"
#include "preload/pin_process.h"
#include "preload/pins.h"

namespace pagewarden {

void LookBeforeFork() {
  NoticeModules();
  NoticeMemory();
}

void BeforeForkOfPins() { HoldPins(); }

void AfterForkOfPinsInParent() { ReleasePins(); }

void AfterForkOfPinsInChild() {
  RelockPins();
  RelockProcess();
}

void AfterUnseenForkOfPins() { DisownPins(); }

}  // namespace pagewarden
