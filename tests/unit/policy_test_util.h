// SPDX-License-Identifier: Apache-2.0
// What the tests of policies share.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "agent/policy/load.h"
#include "agent/policy/resolve.h"

namespace pagewarden {

// A directory of its own, removed at the end.
class TempDirectory {
 public:
  TempDirectory() : path_(::testing::TempDir() + "pagewarden-test.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) abort();
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }

  // Writes a file below it, with mode 0644, and returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    std::filesystem::permissions(path, std::filesystem::perms(0644));
    return path.string();
  }

 private:
  std::string path_;
};

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string ShippedPolicies() { return SOURCE_ROOT "/policies"; }

// Adds a text, whatever the mode and owner of the file it comes from.
inline void LoadText(const std::string& name, const std::string& text, PolicySet& set,
                     Diagnostics& diagnostics) {
  LoadSource(std::make_shared<Source>(name, text), set, diagnostics);
}

// The shipped presets and the policies of `text`, resolved.
inline PolicySet LoadWithPresets(const std::string& name, const std::string& text,
                                 Diagnostics& diagnostics) {
  PolicySet set;
  LoadText("openssl.yaml", ReadFile(ShippedPolicies() + "/presets/openssl.yaml"), set, diagnostics);
  LoadText(name, text, set, diagnostics);
  ResolveReferences(set, diagnostics);
  return set;
}

// The same for a text that must be right.
inline PolicySet LoadValid(const std::string& text) {
  Diagnostics diagnostics;
  PolicySet set = LoadWithPresets("test.yaml", text, diagnostics);
  EXPECT_EQ(diagnostics.Render(), "");
  return set;
}

}  // namespace pagewarden
