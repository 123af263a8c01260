// SPDX-License-Identifier: Apache-2.0
// Free chunks that malloc keeps marked as in use, for speed: those in the
// threads' caches and in the fast bins.
#pragma once

#include <vector>

#include "agent/proof/elf_data.h"
#include "agent/proof/glibc_heap.h"
#include "agent/proof/remote_words.h"

namespace pagewarden {

// Marks them in the heaps' chunks. False: some list could not be found or is
// broken, so a small chunk that is marked as in use may be free.
bool MarkFreeLists(const std::vector<ElfData>& data, RemoteWords& words,
                   std::vector<GlibcHeap>& heaps);

// The chunk that holds `address`, or nullptr. A chunk reaches to the size field
// of the next one.
const GlibcChunk* FindChunk(const GlibcHeap& heap, uint64_t address);

}  // namespace pagewarden
