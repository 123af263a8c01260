// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/scope_library.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "preload/abi/scope_library.h"

namespace pagewarden {
namespace {

constexpr char kShim[] = "/usr/lib/libpagewarden.so";

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(absl::StrCat("function_", i));
  return names;
}

// Reads the library the way the loader does: through its dynamic section.
class Reader {
 public:
  explicit Reader(const std::string& image) : image_(image) {
    const auto* header = At<Elf64_Ehdr>(0);
    for (int i = 0; i < header->e_phnum; ++i) {
      const auto* segment = At<Elf64_Phdr>(header->e_phoff + i * sizeof(Elf64_Phdr));
      EXPECT_LE(segment->p_offset + segment->p_filesz, image.size());
      if (segment->p_type != PT_DYNAMIC) continue;
      for (const auto* d = At<Elf64_Dyn>(segment->p_offset); d->d_tag != DT_NULL; ++d) {
        if (d->d_tag == DT_SYMTAB) symbols_ = d->d_un.d_ptr;
        if (d->d_tag == DT_STRTAB) strings_ = d->d_un.d_ptr;
        if (d->d_tag == DT_GNU_HASH) hash_ = d->d_un.d_ptr;
        if (d->d_tag == DT_NEEDED) needed_ = d->d_un.d_val;
      }
    }
  }

  const Elf64_Sym* Find(const std::string& name) const {
    const auto* header = At<uint32_t>(hash_);
    const uint32_t buckets = header[0], first = header[1], bloom_words = header[2];
    uint32_t hash = 5381;
    for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
    const auto* bloom = At<uint64_t>(hash_ + 16);
    const uint64_t bits = 1ull << (hash % 64) | 1ull << ((hash >> header[3]) % 64);
    if ((bloom[hash / 64 % bloom_words] & bits) != bits) return nullptr;
    const auto* bucket = reinterpret_cast<const uint32_t*>(bloom + bloom_words);
    for (uint32_t i = bucket[hash % buckets]; i >= first; ++i) {
      const auto* symbol = At<Elf64_Sym>(symbols_ + i * sizeof(Elf64_Sym));
      if (name == At<char>(strings_ + symbol->st_name)) return symbol;
      if ((bucket[buckets + i - first] & 1) != 0) return nullptr;
    }
    return nullptr;
  }

  std::string Needed() const { return At<char>(strings_ + needed_); }

  template <typename T>
  const T* At(uint64_t offset) const {
    return reinterpret_cast<const T*>(image_.data() + offset);
  }

 private:
  const std::string& image_;
  uint64_t symbols_ = 0, strings_ = 0, hash_ = 0, needed_ = 0;
};

TEST(ScopeLibrary, ExportsEveryFunctionAndTheSlots) {
  for (const int count : {1, 2, 3, 7, 8, 9, 48, 200, 1000}) {
    const auto names = Names(count);
    const auto image = BuildScopeLibrary(names, kShim);
    ASSERT_TRUE(image.ok()) << image.status();
    const Reader reader(*image);
    EXPECT_EQ(reader.Needed(), kShim);
    for (const std::string& name : names) EXPECT_NE(reader.Find(name), nullptr) << name;
    EXPECT_EQ(reader.Find("function_x"), nullptr);
    const Elf64_Sym* slots = reader.Find(abi::kScopeSlotsSymbol);
    ASSERT_NE(slots, nullptr);
    EXPECT_EQ(slots->st_size, count * sizeof(abi::ScopeSlot));
  }
}

TEST(ScopeLibrary, TrampolineLoadsItsOwnSlot) {
  const auto names = Names(9);
  const auto image = BuildScopeLibrary(names, kShim);
  ASSERT_TRUE(image.ok());
  const Reader reader(*image);
  const uint64_t slots = reader.Find(abi::kScopeSlotsSymbol)->st_value;
  for (size_t i = 0; i < names.size(); ++i) {
    const uint64_t at = reader.Find(names[i])->st_value;
    const auto* code = reader.At<unsigned char>(at);
    EXPECT_EQ(std::memcmp(code, "\xf3\x0f\x1e\xfa\x4c\x8d\x1d", 7), 0);  // endbr64; lea …, %r11
    int32_t distance;
    std::memcpy(&distance, code + 7, sizeof(distance));
    EXPECT_EQ(at + 11 + distance, slots + i * sizeof(abi::ScopeSlot));
    EXPECT_EQ(std::memcmp(code + 11, "\x41\xff\x23", 3), 0);  // jmp *(%r11)
    EXPECT_EQ(reader.At<abi::ScopeSlot>(slots + i * sizeof(abi::ScopeSlot))->index, i);
  }
}

TEST(ScopeLibrary, RefusesWhatIsNotAFunctionName) {
  for (const char* name : {"", "a b", "1st", "x;y", "../x", "na\nme", "ünicode"})
    EXPECT_FALSE(BuildScopeLibrary({name}, kShim).ok()) << name;
  EXPECT_FALSE(BuildScopeLibrary({"twice", "twice"}, kShim).ok());
  EXPECT_FALSE(BuildScopeLibrary({"f"}, "libpagewarden.so").ok());
  EXPECT_FALSE(BuildScopeLibrary({"f"}, "").ok());
}

}  // namespace
}  // namespace pagewarden
