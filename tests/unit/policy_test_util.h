// SPDX-License-Identifier: Apache-2.0
// What the tests of policies share.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/policy/load.h"
#include "agent/policy/resolve.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {

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
