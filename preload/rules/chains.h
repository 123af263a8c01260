// SPDX-License-Identifier: Apache-2.0
// Which rules something is named by, in the order of their precedence.
//
// A tag stands for such a list in one number: 0 for none, i + 1 for rule i alone,
// and what is larger for a link that puts one rule before the list of another tag.
#pragma once

#include <stdint.h>

namespace pagewarden {

struct alignas(8) Link {
  uint32_t rule;
  uint32_t next;  // tag
};

// Grows at any time and never shrinks, without locks; readers need none either.
class Chains {
 public:
  Chains() = default;
  // `links` is zeroed memory for `capacity` links. Tags up to `rules` are rules.
  Chains(Link* links, uint32_t capacity, uint32_t rules)
      : links_(links), capacity_(capacity), rules_(rules) {}

  // The tag for `rule` before those of `tag`; 0 if there is no room. Equal lists
  // have equal tags, unless two threads make them at one time.
  uint32_t Prepend(uint32_t rule, uint32_t tag);

  // Calls visit(rule) for each of the tag's.
  template <typename Visit>
  void VisitAll(uint32_t tag, Visit visit) const {
    while (tag > rules_) {
      const Link link = At(tag);
      visit(link.rule);
      tag = link.next;
    }
    if (tag != 0) visit(tag - 1);
  }

  // The first rule of the tag's that is `below` and that accepts(rule); else `below`.
  template <typename Accepts>
  uint32_t First(uint32_t tag, uint32_t below, Accepts accepts) const {
    while (tag > rules_) {
      const Link link = At(tag);
      if (link.rule >= below) return below;
      if (accepts(link.rule)) return link.rule;
      tag = link.next;
    }
    return tag != 0 && tag - 1 < below && accepts(tag - 1) ? tag - 1 : below;
  }

 private:
  Link At(uint32_t tag) const {
    Link link;
    __atomic_load(&links_[tag - rules_ - 1], &link, __ATOMIC_RELAXED);
    return link;
  }

  Link* links_ = nullptr;
  uint32_t capacity_ = 0;
  uint32_t rules_ = 0;
  uint32_t used_ = 0;
};

}  // namespace pagewarden
