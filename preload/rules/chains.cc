// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/chains.h"

namespace pagewarden {

uint32_t Chains::Prepend(uint32_t rule, uint32_t tag) {
  if (tag == 0) return rule + 1;
  const uint32_t used = __atomic_load_n(&used_, __ATOMIC_ACQUIRE);
  const uint32_t written = used < capacity_ ? used : capacity_;
  for (uint32_t i = 0; i < written; ++i) {
    const Link link = At(rules_ + 1 + i);
    if (link.rule == rule && link.next == tag) return rules_ + 1 + i;
  }
  // A place that is taken and not written yet reads as rule 0 before nobody, which no
  // list is made of.
  const uint32_t place = __atomic_fetch_add(&used_, 1, __ATOMIC_ACQ_REL);
  if (place >= capacity_) {
    __atomic_store_n(&used_, capacity_, __ATOMIC_RELEASE);
    return 0;
  }
  Link link = {rule, tag};
  __atomic_store(&links_[place], &link, __ATOMIC_RELEASE);
  return rules_ + 1 + place;
}

}  // namespace pagewarden
