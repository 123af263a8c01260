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

void BeforeForkOfPins() {
  if (PinsAreOn()) HoldPins();
}

void AfterForkOfPinsInParent() {
  if (PinsAreOn()) ReleasePins();
}

void AfterForkOfPinsInChild() {
  if (!PinsAreOn()) return;
  ForgetBirths();
  RelockPins();
  RelockProcess();
}

void AfterUnseenForkOfPins() { DisownPins(); }

}  // namespace pagewarden
