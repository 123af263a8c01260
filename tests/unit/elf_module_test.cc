// SPDX-License-Identifier: Apache-2.0
#include "agent/elf/elf_module.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "agent/elf/closure.h"
#include "agent/elf/loader_cache.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSelf[] = "/proc/self/exe";
constexpr int kMutations = 3000;

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::string LibcPath() {
  const LoaderCache cache = ReadLoaderCache();
  return cache.contains("libc.so.6") ? cache.at("libc.so.6") : "";
}

TEST(ElfModuleTest, ReadsAnExecutable) {
  const auto module = ReadElfModule(kSelf);
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_TRUE(module->has_interpreter);
  EXPECT_EQ(module->build_id.size(), 20u);
  EXPECT_THAT(module->needed, Contains("libc.so.6"));
  EXPECT_TRUE(module->slots.contains("open") || module->slots.contains("open64"));
}

TEST(ElfModuleTest, ReadsALibrary) {
  const auto module = ReadElfModule(LibcPath());
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_EQ(module->soname, "libc.so.6");
  EXPECT_TRUE(module->functions.contains("qsort"));
  EXPECT_GT(module->functions.at("qsort").address, 0u);
  EXPECT_GT(module->functions.size(), 2000u);
  EXPECT_FALSE(module->functions.contains("environ")) << "not a function";
}

TEST(ElfModuleTest, RefusesOtherFiles) {
  TempDirectory directory;
  const std::string text = directory.Write("text", "#!/bin/sh\n");
  EXPECT_THAT(std::string(ReadElfModule(text).status().message()), HasSubstr(text));
  EXPECT_EQ(ReadElfModule(text).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadElfModule("/nonexistent").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadElfModule("/").status().code(), absl::StatusCode::kInvalidArgument);
}

// A copy of a library, a few bytes of which change for one reading.
class Mutant {
 public:
  explicit Mutant(const std::string& library)
      : original_(ReadBytes(library)), path_(directory_.Write("mutant", original_)) {
    file_.open(path_, std::ios::in | std::ios::out | std::ios::binary);
  }

  const std::string& original() const { return original_; }

  void Change(size_t at, absl::string_view bytes) {
    file_.seekp(static_cast<std::streamoff>(at)).write(bytes.data(), bytes.size());
    changes_.emplace_back(at, bytes.size());
  }

  // Whether the reader accepts it; then it is as it was.
  bool ReadAndRestore() {
    file_.flush();
    const bool accepted = ReadElfModule(path_).ok();
    for (const auto& [at, bytes] : changes_) {
      file_.seekp(static_cast<std::streamoff>(at)).write(original_.data() + at, bytes);
    }
    changes_.clear();
    return accepted;
  }

 private:
  const TempDirectory directory_;
  const std::string original_;
  const std::string path_;
  std::fstream file_;
  std::vector<std::pair<size_t, std::streamsize>> changes_;
};

// Half of them among the header and the segments, where a wrong value leads astray.
size_t RandomOffset(std::mt19937_64& random, size_t bytes) {
  return random() % (random() % 2 == 0 ? std::min<size_t>(bytes, 1024) : bytes);
}

TEST(ElfModuleTest, SurvivesMutatedFiles) {
  const LoaderCache cache = ReadLoaderCache();
  std::mt19937_64 random(20240607);
  int accepted = 0;
  for (const std::string name : {"libgcc_s.so.1", "libz.so.1", "libdl.so.2"}) {
    ASSERT_TRUE(cache.contains(name));
    Mutant mutant(cache.at(name));
    for (int i = 0; i < kMutations / 3; ++i) {
      for (size_t n = 1 + random() % 8; n > 0; --n) {
        const char byte = static_cast<char>(random() % 4 == 0 ? 0xff : random());
        mutant.Change(RandomOffset(random, mutant.original().size()), {&byte, 1});
      }
      accepted += mutant.ReadAndRestore();
    }
    EXPECT_TRUE(mutant.ReadAndRestore()) << "restored";
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kMutations);
}

TEST(ElfModuleTest, SurvivesTruncatedFiles) {
  TempDirectory directory;
  const std::string original = ReadBytes(ReadLoaderCache().at("libdl.so.2"));
  for (size_t bytes = 0; bytes < original.size(); bytes += 61) {
    (void)ReadElfModule(directory.Write("truncated", original.substr(0, bytes)));
  }
}

TEST(ElfModuleTest, SurvivesMutatedDynamicSections) {
  Mutant mutant(ReadLoaderCache().at("libz.so.1"));
  std::mt19937_64 random(7);
  Elf64_Ehdr header;
  memcpy(&header, mutant.original().data(), sizeof(header));
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    memcpy(&segment, mutant.original().data() + header.e_phoff + i * sizeof(segment),
           sizeof(segment));
    if (segment.p_type != PT_DYNAMIC) continue;
    for (uint64_t at = 0; at < segment.p_filesz; at += 8) {
      for (const uint64_t value : {uint64_t{0}, uint64_t{1}, random(), random() % (1 << 20),
                                   UINT64_MAX, uint64_t{1} << 40}) {
        char bytes[sizeof(value)];
        memcpy(bytes, &value, sizeof(value));
        mutant.Change(segment.p_offset + at, {bytes, sizeof(bytes)});
        mutant.ReadAndRestore();
      }
    }
    return;
  }
  FAIL() << "no dynamic section";
}

TEST(LoaderCacheTest, SurvivesDamage) {
  const std::string cache = ReadBytes("/etc/ld.so.cache");
  EXPECT_FALSE(ParseLoaderCache(cache).empty());
  for (size_t bytes = 0; bytes < cache.size(); bytes += 97) {
    (void)ParseLoaderCache(absl::string_view(cache).substr(0, bytes));
  }
  std::string forged = cache;
  memset(forged.data() + 20, 0xff, 4);  // the number of entries
  EXPECT_THAT(ParseLoaderCache(forged), IsEmpty());
}

TEST(ClosureTest, FindsWhatTheLoaderFinds) {
  const auto closure = ReadClosure(kSelf, ReadLoaderCache());
  ASSERT_TRUE(closure.ok()) << closure.status();
  EXPECT_THAT(closure->problems, IsEmpty());
  const auto mapped = ReadProcessClosure(getpid());
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  std::vector<std::string> by_loader;
  for (const LoadedModule& module : mapped->modules) by_loader.push_back(module.elf.soname);
  for (const LoadedModule& module : closure->modules) {
    EXPECT_THAT(by_loader, Contains(module.elf.soname)) << module.path;
  }
  EXPECT_EQ(closure->modules.size(), mapped->modules.size());
}

TEST(ClosureTest, NamesMissingLibraries) {
  const auto closure = ReadClosure(kSelf, {{"libc.so.6", "/nonexistent/libc.so.6"}});
  ASSERT_TRUE(closure.ok());
  EXPECT_THAT(closure->problems, Contains(HasSubstr("/nonexistent/libc.so.6")));
}

}  // namespace
}  // namespace pagewarden
