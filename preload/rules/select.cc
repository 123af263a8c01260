// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/select.h"

#include "preload/abi/cgroup_path.h"
#include "preload/abi/pattern.h"
#include "preload/base/mem.h"

namespace pagewarden {
namespace {

bool IsOneOf(const PolicyImage& image, abi::Range binaries, const char* executable) {
  for (uint32_t i = 0; i < binaries.count; ++i)
    if (Equal(image.text(image.binary(binaries.first + i)), executable)) return true;
  return false;
}

// For the walks of cgroup_path.h.
struct MatchesOne {
  const PolicyImage& image;
  abi::Range patterns;

  bool operator()(const char* text, size_t bytes) const {
    for (uint32_t i = 0; i < patterns.count; ++i)
      if (MatchesPattern(image.text(image.pattern(patterns.first + i)), text, bytes)) return true;
    return false;
  }
};

bool Fits(const PolicyImage& image, const abi::SelectorEntry& selector, Identity& who) {
  if (selector.binaries.count != 0 && !IsOneOf(image, selector.binaries, who.executable()))
    return false;
  if (selector.units.count != 0 && !AnyUnit(who.cgroup(), MatchesOne{image, selector.units}))
    return false;
  if (selector.slices.count != 0 && !AnySlice(who.cgroup(), MatchesOne{image, selector.slices}))
    return false;
  return selector.cgroups.count == 0 ||
         AnySelfOrAbove(who.cgroup(), MatchesOne{image, selector.cgroups});
}

bool IsExcepted(const PolicyImage& image, const abi::PolicyEntry& policy, Identity& who) {
  for (uint32_t i = 0; i < policy.exceptions.count; ++i)
    if (Fits(image, image.selector(policy.exceptions.first + i), who)) return true;
  return false;
}

}  // namespace

const abi::PolicyEntry* SelectPolicy(const PolicyImage& image, bool secure, Identity& who) {
  for (uint32_t i = 0; i < image.policy_count(); ++i) {
    const abi::PolicyEntry& policy = image.policy(i);
    if (secure && (policy.flags & abi::kPolicySecureExec) == 0) continue;
    if (Fits(image, policy.selector, who) && !IsExcepted(image, policy, who)) return &policy;
  }
  return nullptr;
}

}  // namespace pagewarden
