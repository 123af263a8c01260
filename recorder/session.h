// SPDX-License-Identifier: Apache-2.0
// The recording that this process takes part in.
#pragma once

#include <stdint.h>

#include "recorder/recording.h"

namespace pagewarden::recorder {

namespace rec = pagewarden::recording;

// Not valid before Start() has returned true.
struct Session {
  rec::Header* header = nullptr;
  rec::Process* processes = nullptr;
  rec::Module* modules = nullptr;
  rec::Stack* stacks = nullptr;
  const rec::Window* windows = nullptr;
  const uint32_t* slots = nullptr;
  rec::Process* process = nullptr;  // this one's row

  bool IsRecording() const { return header->mode == rec::Mode::kRecord; }
};

extern Session session;

// Maps the recording named by `path` and claims a row. False: there is none, or
// it does not fit this recorder.
bool StartSession(const char* path);

// In a child of fork: a row of its own, which goes on from its parent's.
void ClaimChildRow();

inline void CountAllocation() {
  if (session.process != nullptr) {
    __atomic_fetch_add(&session.process->allocations, 1, __ATOMIC_RELAXED);
  }
}

}  // namespace pagewarden::recorder
