// SPDX-License-Identifier: Apache-2.0
// What the policy's rules of the forms `callers` and `stack` say of a return address,
// worked out from the module that it lies in. Slow: sites.h caches the answers.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/policy_image.h"
#include "preload/base/macros.h"
#include "preload/calls/router.h"
#include "preload/rules/chains.h"
#include "preload/rules/policy.h"

namespace pagewarden {

inline constexpr uint32_t kMaxSiteLinks = 4096;

// In 16 bits: the tag (chains.h) of the rules that name this address itself, and what
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
static_assert(abi::kMaxRulesPerPolicy + abi::kMaxArenasPerPolicy + kMaxSiteLinks < 1u << 14);

// Return addresses, innermost first; zeros behind them.
struct CallStack {
  uint64_t addresses[abi::kMaxSignatureDepth];
  uint32_t depth;
};

// The lowest rule of those forms; UINT32_MAX if there is none.
uint32_t FirstRuleOfSites(const PolicyImage& image, const abi::PolicyEntry& policy);

// For Start. `table`: the policy's rules as the router knows them. `links`: zeroed
// memory for kMaxSiteLinks.
void SetSiteRules(const PolicyImage& image, const abi::PolicyEntry& policy, const Rule* table,
                  Link* links);

// False: an answer that may not last, since the address is in no module, or there is
// no room to write it down.
bool JudgeSite(uint64_t address, SiteVerdict* out);
bool JudgeStack(const CallStack& stack, uint32_t* tag);

// What the rules of a form take together.
struct Sizes {
  uint64_t least = UINT64_MAX;
  uint64_t most = 0;

  void Include(const abi::RuleEntry& rule) {
    if (rule.min_bytes < least) least = rule.min_bytes;
    if (rule.max_bytes > most) most = rule.max_bytes;
  }
  bool Have(size_t bytes) const { return bytes >= least && bytes <= most; }
  bool any() const { return least <= most; }
};
extern PW_HIDDEN Sizes sizes_of_callers;
extern PW_HIDDEN Sizes sizes_of_signatures;

// The first rule of the tag's that is `below` and takes `bytes`; else `below`.
uint32_t FirstRuleThatTakes(uint32_t tag, size_t bytes, uint32_t below);

}  // namespace pagewarden
