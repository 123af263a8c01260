// SPDX-License-Identifier: Apache-2.0
// `pagewarden verify` says in what kind of memory each copy is, and what is stale.
#include <map>
#include <utility>

#include "tests/tools/verify_command.h"

namespace pagewarden {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// kind, stale ("null": unknown)
using Where = std::pair<std::string, std::string>;

class VerifyPlacesTest : public VerifyCommandTest {
 protected:
  // A text of its own for each place, so that none can be taken for another.
  std::string NewText(const std::string& place) {
    const std::string text = absl::BytesToHexString(d_.substr(files_.size() * 24, 24));
    files_.push_back(directory_.Write("text-" + place, text));
    return files_.back();
  }

  static std::vector<Where> Kinds(const nlohmann::json& report) {
    std::vector<Where> kinds;
    for (const auto& copy : report.at("copies")) {
      kinds.emplace_back(copy.at("kind"), copy.at("stale").dump());
    }
    return kinds;
  }

  std::vector<std::string> files_;
};

// Fences exactly the block that pw-plant means for the arena.
constexpr char kPolicy[] = R"(apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: planted}
spec:
  rules:
    - match: {all: true, size: {min: 3000, max: 3000}}
)";

// Meson sets MALLOC_PERTURB_, under which malloc overwrites what it frees.
TEST_F(VerifyPlacesTest, TenPlacesAreToldApart) {
  const std::string policy = directory_.Write("planted.yaml", kPolicy);
  std::vector<std::string> words = {
      "env",      "-u",    "MALLOC_PERTURB_", "PLANTED=" + Slurp(NewText("env")),
      PAGEWARDEN, "run",   "--policy",        policy,
      "--",       PW_PLANT};
  for (const char* place :
       {"heap", "arena", "mmap", "stack", "bss", "shared", "file", "thread", "freed"}) {
    words.insert(words.end(), {place, NewText(place)});
  }
  const Child child(words);
  for (const bool live : {false, true}) {
    std::map<std::string, Where> found;
    for (const std::string& file : files_) {
      std::vector<std::string> command = {
          PAGEWARDEN, "verify", "--json", "--pid", child.pid(), "--secret-text-file", file};
      if (live) command.push_back("--live");
      const Outcome outcome = Run(command);
      EXPECT_EQ(outcome.err, "");
      const std::vector<Where> kinds = Kinds(outcome.Json());
      ASSERT_EQ(kinds.size(), 1u) << file << outcome.out;
      found[file.substr(file.rfind('-') + 1)] = kinds[0];
    }
    EXPECT_THAT(
        found,
        UnorderedElementsAre(
            Pair("heap", Where("Heap", "false")), Pair("arena", Where("Arena", "false")),
            Pair("mmap", Where("Anonymous", "null")), Pair("stack", Where("Stack", "false")),
            Pair("bss", Where("Data", "null")), Pair("shared", Where("SharedMemory", "null")),
            Pair("file", Where("FileMapping", "null")), Pair("env", Where("Environment", "false")),
            Pair("thread", Where("ThreadStack", "false")),
            Pair("freed", Where("FreedChunk", "true"))));
  }
}

}  // namespace
}  // namespace pagewarden
