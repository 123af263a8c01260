// SPDX-License-Identifier: Apache-2.0
// What a recorded run tells about every copy that was not fenced: who asked for
// the memory it is in, or, outside the heap, what memory that is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/learn/recording_file.h"
#include "agent/proof/verify.h"

namespace pagewarden {

// A stack that blocks with copies came from.
struct StackEvidence {
  uint32_t stack = 0;         // index into the recording's stacks
  uint64_t live = 0;          // copies in blocks that are still there
  uint64_t stale = 0;         // blocks with a copy that were freed or left at exit
  uint64_t size_classes = 0;  // a bit for each size class of these blocks
  uint64_t Copies() const { return live + stale; }
};

// A module whose own mappings hold copies.
struct PoolEvidence {
  uint64_t copies = 0;
  uint64_t bytes = 0;  // of all that it has mapped, in the process that has most
};

struct Evidence {
  std::vector<StackEvidence> stacks;
  std::map<std::string, PoolEvidence> mapping_modules;
  std::map<std::string, uint64_t> data_modules;  // copies in their static data
  uint64_t on_stacks = 0;
  uint64_t in_environment = 0;
  std::vector<std::string> unexplained;  // a line for each group of copies
};

Evidence CollectEvidence(const VerifyResult& result, const RecordingFile& recording);

}  // namespace pagewarden
