// SPDX-License-Identifier: Apache-2.0
// The policy image as the shim sees it: mapped read-only and checked once.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

// The mapping of a live image; without one, all zero.
struct LiveWindow {
  const unsigned char* base;
  uint64_t bytes;
  uint64_t word;  // that `current` was when the image was taken from it
};

class PolicyImage {
 public:
  // Maps and checks the file, a live image or a plain one. kNone: ready to use. The mapping
  // stays for good.
  static abi::Uncovered Map(const char* path, PolicyImage* out, LiveWindow* window);

  // Checks the image that `word` names. False: there is none, or it is not valid.
  static bool FromWindow(const LiveWindow& window, uint64_t word, PolicyImage* out);

  uint32_t policy_count() const { return header().policies.count; }
  const abi::PolicyEntry& policy(uint32_t i) const {
    return At<abi::PolicyEntry>(header().policies)[i];
  }
  const abi::SelectorEntry& selector(uint32_t i) const {
    return At<abi::SelectorEntry>(header().selectors)[i];
  }
  const abi::Text& binary(uint32_t i) const { return At<abi::Text>(header().binaries)[i]; }
  const abi::ArenaEntry& arena(uint32_t i) const { return At<abi::ArenaEntry>(header().arenas)[i]; }
  const abi::RuleEntry& rule(uint32_t i) const { return At<abi::RuleEntry>(header().rules)[i]; }
  uint32_t rule_slot(uint32_t i) const { return At<uint32_t>(header().rule_slots)[i]; }
  const abi::Text& pattern(uint32_t i) const { return At<abi::Text>(header().patterns)[i]; }
  const abi::CallerEntry& caller(uint32_t i) const {
    return At<abi::CallerEntry>(header().callers)[i];
  }
  const abi::SignatureEntry& signature(uint32_t i) const {
    return At<abi::SignatureEntry>(header().signatures)[i];
  }
  const abi::BuildId& build_id(uint32_t i) const { return At<abi::BuildId>(header().build_ids)[i]; }
  const char* function(uint32_t i) const { return text(At<abi::Text>(header().functions)[i]); }
  const char* text(abi::Text t) const { return At<char>(header().pool) + t.offset; }

 private:
  const abi::PolicyImageHeader& header() const {
    return *reinterpret_cast<const abi::PolicyImageHeader*>(bytes_);
  }
  template <typename T>
  const T* At(abi::Table table) const {
    return reinterpret_cast<const T*>(bytes_ + table.offset);
  }

  bool IsValid(uint64_t file_bytes) const;
  bool TablesFit() const;
  bool RecordsAreValid() const;
  bool SignatureIsValid(const abi::SignatureEntry& signature) const;
  bool SelectorIsValid(const abi::SelectorEntry& selector) const;
  bool PolicyIsValid(const abi::PolicyEntry& policy) const;
  bool ArenaIsValid(const abi::ArenaEntry& arena) const;
  bool OperandsAreValid(const abi::RuleEntry& rule) const;
  bool PinIsValid(const abi::PinEntry& pin) const;
  bool RuleIsValid(const abi::RuleEntry& rule, abi::Range arenas) const;
  bool TextFits(abi::Text t) const;

  const unsigned char* bytes_ = nullptr;
};

}  // namespace pagewarden
