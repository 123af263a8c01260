// SPDX-License-Identifier: Apache-2.0
// The live blocks of this process, each with the stack that asked for it.
// Thread-safe; a child of fork goes on with its parent's.
#pragma once

#include "recorder/recording.h"

namespace pagewarden::recorder {

void AddBlock(const recording::Block& block);

// Takes a block out; false if it is not known.
bool RemoveBlock(const void* address, recording::Block* block);

// Calls visit(block) for each, with the table locked.
void VisitBlocks(void (*visit)(const recording::Block& block));

void LockBlocks();
void UnlockBlocks();

}  // namespace pagewarden::recorder
