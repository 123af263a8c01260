// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/model.h"

namespace truth {
namespace {

constexpr uint64_t kFirstAddress = 1ull << 36;
constexpr uint64_t kStride = 1ull << 20;

bool IsLocked(Page page) { return page == Page::kLocked || page == Page::kOnFault; }

}  // namespace

bool Region::IsUniform() const {
  for (uint32_t i = 0; i < pages; ++i) {
    if (page[i] == Page::kHole || page[i] != page[0]) return false;
  }
  return pages > 0;
}

uint64_t Region::LockedPages(uint32_t first, uint32_t count) const {
  uint64_t locked = 0;
  for (uint32_t i = first; i < first + count; ++i) locked += IsLocked(page[i]);
  return locked;
}

uint64_t Model::AddressOf(uint32_t region) const {
  return region == 0 ? break_address : kFirstAddress + region * kStride;
}

uint64_t Model::LockedPages() const {
  uint64_t locked = outside_pages;
  for (const Region& region : regions) locked += region.LockedPages(0, region.pages);
  return locked;
}

uint64_t Model::SecretPages() const {
  uint64_t secret = 0;
  for (const Region& region : regions) {
    if (region.content == Content::kSecret) secret += region.LockedPages(0, region.pages);
  }
  return secret;
}

bool Model::Exceeds(uint64_t extra) const {
  return !has_capability && LockedPages() + extra > limit_pages;
}

bool Model::Set(Region& region, uint32_t first, uint32_t count, Page page) const {
  for (uint32_t i = first; i < first + count; ++i) {
    if (region.page[i] == Page::kHole) return false;
    if (region.content != Content::kSecret) region.page[i] = page;
  }
  return true;
}

void Model::SetAll(Page page) {
  for (Region& region : regions) {
    if (region.content == Content::kSecret) continue;
    for (uint32_t i = 0; i < region.pages; ++i) {
      if (region.page[i] != Page::kHole) region.page[i] = page;
    }
  }
}

void Model::Fork() {
  for (Region& region : regions) {
    for (uint32_t i = 0; i < region.pages; ++i) {
      if (region.page[i] != Page::kHole) region.page[i] = Page::kUnlocked;
    }
  }
  outside_pages = 0;
  next = Page::kUnlocked;
}

}  // namespace truth
