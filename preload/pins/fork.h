// SPDX-License-Identifier: Apache-2.0
// fork(2), and what is pinned: as for arenas (fork.h).
#pragma once

namespace pagewarden {

// Looks once more at what is there, for the child to lock it. First of all: the
// loader's lock comes before any of the shim's.
void LookBeforeFork();

void BeforeForkOfPins();
void AfterForkOfPinsInParent();
void AfterForkOfPinsInChild();
void AfterUnseenForkOfPins();

}  // namespace pagewarden
