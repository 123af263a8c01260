// SPDX-License-Identifier: Apache-2.0
// The agent's side of a recording, with the recorder's detector behind it.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "agent/learn/block_index.h"
#include "agent/learn/recording_file.h"
#include "recorder/detector.h"
#include "recorder/session.h"
#include "recorder/siphash.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

std::string RandomBytes(size_t bytes, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

class RecordingTest : public ::testing::Test {
 protected:
  void Start(const NeedleSet& needles) {
    auto runtime = OwnedDirectory::Open(directory_.path() + "/runtime");
    ASSERT_TRUE(runtime.ok()) << runtime.status();
    auto recording = RecordingFile::Create(*runtime, needles, recording::Mode::kRecord);
    ASSERT_TRUE(recording.ok()) << recording.status();
    recording_ = *std::move(recording);
    ASSERT_TRUE(recorder::StartSession(recording_->path().c_str()));
  }

  TempDirectory directory_;
  std::unique_ptr<RecordingFile> recording_;
};

// Aumasson and Bernstein's reference gives this for the input 00 … 07.
TEST(SipHashTest, IsTheStandardOne) {
  const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  EXPECT_EQ(recording::SipHash(key, 0x0706050403020100), 0x93f5f5799a932462u);
}

TEST_F(RecordingTest, FindsTextAnywhere) {
  const std::string password = "correct horse";
  NeedleSet needles;
  needles.AddText(AsBytes(password));
  Start(needles);
  for (size_t at = 0; at < 64; ++at) {
    std::string block(128, 'x');
    block.replace(at, password.size(), password);
    EXPECT_TRUE(recorder::HoldsSecret(block.data(), block.size())) << at;
    EXPECT_FALSE(recorder::HoldsSecret(block.data(), at + 7)) << "7 bytes are no copy";
    EXPECT_TRUE(recorder::HoldsSecret(block.data(), at + 8)) << "8 bytes are one";
  }
  EXPECT_FALSE(recorder::HoldsSecret("wrong horse, wrong text", 23));
}

TEST_F(RecordingTest, FindsNumbersAtEveryAlignment) {
  PrivateKey key;
  const std::string number = RandomBytes(128, 3);
  key.components.push_back({"rsa.p", SecretBytes(number.begin(), number.end())});
  NeedleSet needles;
  needles.AddKey(key);
  Start(needles);
  for (size_t at = 0; at < 16; ++at) {
    std::string block = RandomBytes(256, 100 + at);
    EXPECT_FALSE(recorder::HoldsSecret(block.data(), block.size()));
    block.replace(at, 16, number, 40, 16);
    EXPECT_TRUE(recorder::HoldsSecret(block.data(), block.size())) << at;
    block[at + 1] ^= 1;
    EXPECT_FALSE(recorder::HoldsSecret(block.data(), block.size())) << "15 bytes at most: " << at;
  }
}

TEST_F(RecordingTest, HoldsNoSecretItself) {
  const std::string password = "a password of some length";
  NeedleSet needles;
  needles.AddText(AsBytes(password));
  Start(needles);
  std::ifstream file(recording_->path(), std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  EXPECT_GT(bytes.str().size(), sizeof(recording::Header));
  for (size_t at = 0; at + 8 <= password.size(); ++at) {
    EXPECT_EQ(bytes.str().find(password.substr(at, 8)), std::string::npos);
  }
}

TEST_F(RecordingTest, TakesNothingThatIsIncompleteOrForged) {
  Start(NeedleSet());
  recorder::session.modules[0].state = recording::State::kReady;
  recorder::session.modules[0].build_id_bytes = 4000;
  memset(recorder::session.modules[0].path, 'x', sizeof(recording::Module::path));
  recording::Stack* stacks = recorder::session.stacks;
  stacks[1].state = recording::State::kClaimed;
  stacks[1].depth = 1;
  stacks[2].state = recording::State::kReady;
  stacks[2].depth = 99;
  stacks[3].state = recording::State::kReady;
  stacks[3].depth = 1;
  stacks[3].frames[0].module = 77;
  stacks[4].state = recording::State::kReady;
  stacks[4].depth = 1;
  const auto modules = recording_->Modules();
  ASSERT_EQ(modules.size(), 1u);
  EXPECT_LE(modules[0].build_id_bytes, recording::kMaxBuildIdBytes);
  EXPECT_EQ(strlen(modules[0].path), sizeof(recording::Module::path) - 1);
  const auto read = recording_->Stacks();
  for (const int i : {1, 2, 3}) EXPECT_EQ(read[i].depth, 0u) << i;
  EXPECT_EQ(read[4].depth, 1u);
}

TEST_F(RecordingTest, IsGoneWithItsOwner) {
  Start(NeedleSet());
  const std::string path = recording_->path();
  EXPECT_TRUE(recording_->ProcessOf(getpid()).has_value());
  recording_.reset();
  EXPECT_FALSE(std::ifstream(path).good());
}

TEST(BlockIndexTest, PrefersTheBlockToTheMappingAroundIt) {
  const BlockIndex index({{0x1000, 0x1000, 1, recording::BlockKind::kMapping, 0x1000},
                          {0x1100, 0x40, 2, recording::BlockKind::kHeap, 0x40},
                          {0, 0, 0, recording::BlockKind::kHeap, 0}});
  ASSERT_NE(index.Find(0x1120), nullptr);
  EXPECT_EQ(index.Find(0x1120)->stack, 2u);
  ASSERT_NE(index.Find(0x1140), nullptr);
  EXPECT_EQ(index.Find(0x1140)->stack, 1u);
  EXPECT_EQ(index.Find(0xfff), nullptr);
  EXPECT_EQ(index.Find(0x2000), nullptr);
}

}  // namespace
}  // namespace pagewarden
