// SPDX-License-Identifier: Apache-2.0
// What the exports report: blocks that come and go.
#pragma once

#include <stddef.h>

#include "recorder/recording.h"

namespace pagewarden::recorder {

// `requested` bytes were asked for, `bytes` may be used.
void NoteAllocation(void* block, size_t requested, size_t bytes, recording::BlockKind kind);

// To be called before the block goes: one that held a secret is wiped, so that
// its remains cannot be taken for those of the block's next owner. True then.
bool NoteEnd(void* block, recording::Block* was);

// Puts back what NoteEnd took out: the block stays.
void NoteStays(const recording::Block& block);

}  // namespace pagewarden::recorder
