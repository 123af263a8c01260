// SPDX-License-Identifier: Apache-2.0
// What other processes show, damaged: /proc text, ELF headers, malloc's books.
#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "agent/proc/read_file.h"
#include "agent/proof/elf_data.h"
#include "agent/proof/glibc_heap.h"
#include "agent/proof/glibc_layout.h"
#include "agent/proof/process_stat.h"
#include "agent/proof/remote_words.h"
#include "tests/fuzz/mutate.h"

namespace pagewarden {
namespace {

TEST(ProcessStatFuzzTest, ParsesOrRefuses) {
  const auto text = ReadBoundedFile("/proc/self/stat", 4096);
  ASSERT_TRUE(text.ok());
  ASSERT_TRUE(ParseProcessStat(*text).ok());
  ASSERT_EQ(ParseProcessStat(*text)->parent, getppid());
  Mutator mutate;
  int refused = 0;
  for (int round = 0; round < 5000; ++round) refused += !ParseProcessStat(mutate(*text)).ok();
  EXPECT_GT(refused, 0);
}

// A process that exists only here: mappings and their bytes.
class FakeProcess {
 public:
  void Add(uint64_t start, std::string bytes, const char* name, bool executable = false) {
    Mapping mapping;
    mapping.start = start;
    mapping.end = start + bytes.size();
    mapping.readable = true;
    mapping.writable = !executable;
    mapping.executable = executable;
    mapping.name = name;
    mappings.push_back(mapping);
    memory[start] = std::move(bytes);
  }

  size_t Read(uint64_t address, void* buffer, size_t bytes) const {
    auto next = memory.upper_bound(address);
    if (next == memory.begin()) return 0;
    const auto& [start, held] = *--next;
    const uint64_t offset = address - start;
    if (offset >= held.size()) return 0;
    const size_t got = std::min<size_t>(bytes, held.size() - offset);
    memcpy(buffer, held.data() + offset, got);
    return got;
  }

  GlibcHeaps Walk() const {
    RemoteWords words([this](uint64_t at, void* to, size_t n) { return Read(at, to, n); });
    return GlibcHeaps::Walk(mappings, FindElfData(mappings, words), words);
  }

  std::vector<Mapping> mappings;
  std::map<uint64_t, std::string> memory;
};

constexpr uint64_t kHeap = 0x555555600000;
constexpr uint64_t kLibc = 0x7ffff7a00000;
constexpr uint64_t kHeapBytes = 0x2000;

template <typename T>
void Put(std::string& bytes, uint64_t offset, const T& value) {
  memcpy(&bytes[offset], &value, sizeof(value));
}

// A thread's cache with one block, a live block, a fast bin with one chunk, the
// rest; and a library whose data hold the arena.
class HeapFuzzTest : public ::testing::Test {
 protected:
  HeapFuzzTest() {
    std::string heap(kHeapBytes, '\0');
    const uint64_t sizes[] = {glibc::kThreadCacheChunk, 0x50, 0x50, 0x50, 0x100};
    uint64_t at = 0;
    for (const uint64_t size : sizes) {
      chunks_.push_back(at);
      Put(heap, at + glibc::kSizeOffset, size | glibc::kPreviousInUse);
      at += size;
    }
    const uint64_t top = at;
    Put(heap, top + glibc::kSizeOffset, (kHeapBytes - top) | glibc::kPreviousInUse);
    glibc::ThreadCache cache = {};
    cache.counts[3] = 1;
    cache.entries[3] = kHeap + chunks_[1] + glibc::kBlockOffset;
    Put(heap, glibc::kBlockOffset, cache);
    Put(heap, chunks_[1] + glibc::kBlockOffset, cache.entries[3] >> 12);
    const uint64_t fast = kHeap + chunks_[3];
    Put(heap, chunks_[3] + glibc::kBlockOffset, (fast + glibc::kBlockOffset) >> 12);
    process_.Add(kHeap, heap, "[heap]");

    std::string image(0x1000, '\0');
    Elf64_Ehdr header = {};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    Put(image, 0, header);
    Elf64_Phdr code = {};
    code.p_type = PT_LOAD;
    code.p_memsz = 0x1000;
    Put(image, sizeof(header), code);
    Elf64_Phdr data = code;
    data.p_flags = PF_R | PF_W;
    data.p_vaddr = 0x1000;
    data.p_memsz = 0x1000;
    Put(image, sizeof(header) + sizeof(code), data);
    process_.Add(kLibc, image, "/lib/libc.so.6", true);

    std::string state(0x1000, '\0');
    const uint64_t arena = kLibc + 0x1000 + 0x80;
    Put(state, 0x80 + glibc::kFastBinsOffset + 3 * 8, fast);
    Put(state, 0x80 + glibc::kTopOffset, kHeap + top);
    Put(state, 0x80 + glibc::kNextOffset, arena);
    process_.Add(kLibc + 0x1000, state, "/lib/libc.so.6");
  }

  uint64_t Block(size_t chunk) const { return kHeap + chunks_[chunk] + glibc::kBlockOffset; }

  std::vector<uint64_t> chunks_;
  FakeProcess process_;
};

TEST_F(HeapFuzzTest, TheUndamagedOneIsUnderstood) {
  const GlibcHeaps heaps = process_.Walk();
  EXPECT_EQ(heaps.At(Block(1)), ChunkState::kFreed);
  EXPECT_EQ(heaps.At(Block(2)), ChunkState::kLive);
  EXPECT_EQ(heaps.At(Block(3)), ChunkState::kFreed);
  EXPECT_EQ(heaps.At(Block(4)), ChunkState::kLive);
  EXPECT_EQ(heaps.At(kHeap + kHeapBytes - 1), ChunkState::kFreed);
}

// Ends, and never claims what the books do not say: chunk 4 is nobody's list's.
TEST_F(HeapFuzzTest, DamagedBooks) {
  Mutator mutate;
  const auto intact = process_.memory;
  int unknown = 0;
  for (int round = 0; round < 3000; ++round) {
    process_.memory = intact;
    for (auto& [start, bytes] : process_.memory) {
      const size_t size = bytes.size();
      bytes = mutate(bytes);
      bytes.resize(size);
    }
    const GlibcHeaps heaps = process_.Walk();
    for (size_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      unknown += heaps.At(Block(chunk)) == ChunkState::kUnknown;
    }
    EXPECT_FALSE(heaps.Contains(kHeap + kHeapBytes));
  }
  EXPECT_GT(unknown, 0);
}

// A list that bites its own tail.
TEST_F(HeapFuzzTest, CircularLists) {
  std::string& heap = process_.memory[kHeap];
  Put(heap, chunks_[1] + glibc::kBlockOffset, Block(1) >> 12 ^ Block(1));
  Put(heap, chunks_[3] + glibc::kBlockOffset, Block(3) >> 12 ^ (Block(3) - glibc::kBlockOffset));
  const GlibcHeaps heaps = process_.Walk();
  EXPECT_EQ(heaps.At(Block(1)), ChunkState::kUnknown);
  EXPECT_EQ(heaps.At(Block(3)), ChunkState::kUnknown);
}

}  // namespace
}  // namespace pagewarden
