// SPDX-License-Identifier: Apache-2.0
// What was learned, and the YAML that says so, with comments.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/learn/evidence.h"
#include "agent/learn/signatures.h"
#include "recorder/recording.h"

namespace pagewarden {

struct LearnedPreset {
  std::string name;
  uint64_t allocations = 0;  // that it fenced
};

struct LearnedPolicy {
  std::string name;                   // of the policy
  std::vector<std::string> binaries;  // paths; the program first
  std::string command;                // for the comment
  std::vector<LearnedPreset> presets;
  std::vector<LearnedSignature> signatures;
  std::vector<recording::Module> modules;           // that the signatures refer to
  uint64_t allocations = 0;                         // of the recorded run, fenced ones left out
  std::map<std::string, uint64_t> pinned_mappings;  // module patterns, with their copies
  std::map<std::string, uint64_t> pinned_data;
  uint64_t on_stacks = 0;
  uint64_t in_environment = 0;
  uint64_t capacity_bytes = 0;

  bool IsEmpty() const;
};

// A name of the policy language, made from a file's name.
std::string PolicyNameFor(const std::string& executable);

std::string ToYaml(const LearnedPolicy& policy);

}  // namespace pagewarden
