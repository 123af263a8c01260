// SPDX-License-Identifier: Apache-2.0
// This program's own call frame information, damaged at random: whatever it says,
// nothing outside of it may be read.
#include <elf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <random>

#include "preload/stack/cfi.h"

namespace pagewarden {
namespace {

constexpr size_t kPage = 4096;

// What is in the segment from the header on, at the very end of a page before one that
// cannot be read. What it says of addresses is relative, and moves with it.
class MovedSegment {
 public:
  MovedSegment() {
    Module module;
    EXPECT_TRUE(FindModule(reinterpret_cast<uint64_t>(&ReadFrameRule), &module));
    const Bytes header = PartOf(module, PT_GNU_EH_FRAME);
    original_ = {header.begin, SegmentAround(module, reinterpret_cast<uint64_t>(header.begin)).end};
    const size_t room = (original_.size() + kPage - 1) / kPage * kPage;
    void* at =
        mmap(nullptr, room + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bytes_ = static_cast<uint8_t*>(at) + room - original_.size();
    mprotect(static_cast<uint8_t*>(at) + room, kPage, PROT_NONE);
    header_bytes_ = header.size();
    Restore();
  }

  void Restore() { memcpy(bytes_, original_.begin, original_.size()); }

  FrameRule RuleOf(uint64_t pc) const {
    const uint64_t moved =
        pc + reinterpret_cast<uint64_t>(bytes_) - reinterpret_cast<uint64_t>(original_.begin);
    return ReadFrameRule({bytes_, bytes_ + header_bytes_}, {bytes_, bytes_ + original_.size()},
                         moved);
  }

  uint8_t& AnyByte(std::mt19937_64& random) { return bytes_[random() % original_.size()]; }

 private:
  Bytes original_ = {};
  uint8_t* bytes_ = nullptr;
  size_t header_bytes_ = 0;
};

uint64_t AnyPc(std::mt19937_64& random) {
  constexpr uint64_t kReach = 1 << 16;
  return reinterpret_cast<uint64_t>(&ReadFrameRule) - kReach / 2 + random() % kReach;
}

TEST(CfiFuzzTest, WholeInformationIsFound) {
  const MovedSegment segment;
  const FrameRule rule = segment.RuleOf(reinterpret_cast<uint64_t>(&ReadFrameRule));
  EXPECT_EQ(rule.base, FrameRule::Base::kRsp);
  EXPECT_EQ(rule.offset, 8);
}

TEST(CfiFuzzTest, DamagedInformationIsReadWithinItsBounds) {
  MovedSegment segment;
  std::mt19937_64 random(20240229);
  size_t found = 0;
  for (int round = 0; round < 4000; ++round) {
    segment.Restore();
    for (int i = 1 << random() % 12; i > 0; --i)
      segment.AnyByte(random) = static_cast<uint8_t>(random());
    for (int i = 0; i < 50; ++i)
      found += segment.RuleOf(AnyPc(random)).base != FrameRule::Base::kNone;
  }
  EXPECT_GT(found, 1000u);  // or it was damaged beyond what is worth a test
}

TEST(CfiFuzzTest, NoiseIsReadWithinItsBounds) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 100'000; ++round) {
    uint8_t noise[256];
    for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random());
    const uint8_t kLikely[] = {1, 0x1b, static_cast<uint8_t>(round % 2 ? 0x03 : 0xff), 0x3b};
    memcpy(noise, kLikely, sizeof(kLikely));
    ReadFrameRule({noise, noise + sizeof(noise)}, {noise, noise + sizeof(noise)},
                  reinterpret_cast<uint64_t>(noise) + random() % 512);
  }
}

}  // namespace
}  // namespace pagewarden
