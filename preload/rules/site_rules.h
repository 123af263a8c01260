// SPDX-License-Identifier: Apache-2.0
// What the policy's rules of the forms `callers` and `stack` say of a return address,
// worked out from the module that it lies in. Slow: sites.h caches the answers.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"
#include "preload/base/macros.h"
#include "preload/rules/rule_set.h"

namespace pagewarden {

// Lists of books that there is room for.
inline constexpr uint32_t kMaxBookLinks = 4096;

// In 16 bits: the tag, of books, of the rules that name this address itself, and what
// else has to be looked at.
class SiteVerdict {
 public:
  SiteVerdict() = default;
  explicit SiteVerdict(uint16_t bits) : bits_(bits) {}
  SiteVerdict(uint32_t tag, bool is_transparent, bool starts_signature)
      : bits_(static_cast<uint16_t>(tag | (is_transparent ? kTransparent : 0u) |
                                    (starts_signature ? kSignature : 0u))) {}

  uint16_t bits() const { return bits_; }
  bool is_plain() const { return bits_ == 0; }
  uint32_t tag() const { return bits_ & kTagMask; }
  bool is_transparent() const { return (bits_ & kTransparent) != 0; }
  bool starts_signature() const { return (bits_ & kSignature) != 0; }  // of more than one frame

 private:
  static constexpr uint32_t kTransparent = 1u << 15, kSignature = 1u << 14;
  static constexpr uint32_t kTagMask = kSignature - 1;
  uint16_t bits_ = 0;
};
static_assert(abi::kMaxLedgerTags + kMaxBookLinks < 1u << 14);

// Return addresses, innermost first; zeros behind them.
struct CallStack {
  uint64_t addresses[abi::kMaxSignatureDepth];
  uint32_t depth;
};

bool HasSiteRules(const PolicyImage& image, const abi::PolicyEntry& policy);

// The lowest rule of those forms that is in force; UINT32_MAX if there is none.
uint32_t FirstRuleOfSites(const RuleSet& set);

// What they take.
void SetSizesOfSites(RuleSet* set);

// False: an answer that may not last, since the address is in no module, or there is
// no room to write it down.
bool JudgeSite(const RuleSet& set, uint64_t address, SiteVerdict* out);
bool JudgeStack(const RuleSet& set, const CallStack& stack, uint32_t* tag);

}  // namespace pagewarden
