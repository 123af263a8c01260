// SPDX-License-Identifier: Apache-2.0
// Paths, and text in which `*` stands for any run of characters and `?` for one.
#pragma once

#include <map>
#include <string>

#include "agent/policy/fields.h"

namespace pagewarden {

// An absolute path without "." and ".." components and without doubled slashes,
// as the kernel would spell it.
extern const Value<std::string> kBinaryPath;

// The same of a file that holds a secret. Patterns are refused.
extern const Value<std::string> kSecretPath;

// Text of 1 to 255 characters. Of a path, or of a cgroup: absolute. Of a
// thread's name: at most the 15 characters that the kernel keeps.
extern const Value<std::string> kPattern;
extern const Value<std::string> kPathPattern;
extern const Value<std::string> kThreadPattern;
extern const Value<std::string> kCgroupPattern;

// Of systemd's names in a cgroup path: with their suffix, which is all too often
// left out, and then matches nothing. Units are services and scopes.
extern const Value<std::string> kUnitPattern;
extern const Value<std::string> kSlicePattern;

// Variables for a program's environment. The loader's own (LD_…) and the shim's are refused.
extern const Value<std::map<std::string, std::string>> kVariables;

extern const Value<std::map<std::string, std::string>> kLabels;

}  // namespace pagewarden
