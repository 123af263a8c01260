// SPDX-License-Identifier: Apache-2.0
// Readers of the kinds of text that must have a certain form.
#pragma once

#include <map>
#include <string>

#include "agent/policy/model.h"
#include "agent/policy/yaml_tree.h"

namespace pagewarden {

// Lower-case letters, digits, '-' and '.'; a letter or digit first and last; at
// most 63 characters. Arena names: at most 31, as the ledger has no more room.
void ReadName(const YamlNode& node, std::string& name, Diagnostics& diagnostics);
void ReadArenaName(const YamlNode& node, std::string& name, Diagnostics& diagnostics);

void ReadReference(const YamlNode& node, Reference& reference, Diagnostics& diagnostics);

// As ReadReference, for references that may be absent.
void ReadOptionalReference(const YamlNode& node, std::optional<Reference>& reference,
                           Diagnostics& diagnostics);

// An absolute path without "." and ".." components and without doubled slashes,
// as the kernel would spell it.
void ReadBinaryPath(const YamlNode& node, std::string& path, Diagnostics& diagnostics);

// The name of an exported function, as `nm -D` prints it but without version.
// The allocator's own functions are refused: the shim is their interposer.
void ReadFunctionName(const YamlNode& node, std::string& name, Diagnostics& diagnostics);

// Text of 1 to 255 characters in which `*` and `?` stand for others. Of a path:
// absolute. Of a thread's name: at most the 15 characters that the kernel keeps.
void ReadPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics);
void ReadPathPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics);
void ReadThreadPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics);

// BUILDID+0xOFFSET, as `pagewarden learn` writes it.
void ReadCodeAddress(const YamlNode& node, CodeAddress& address, Diagnostics& diagnostics);

// Variables for a program's environment. The loader's own (LD_…) and the shim's are refused.
void ReadVariables(const YamlNode& node, std::map<std::string, std::string>& variables,
                   Diagnostics& diagnostics);

void ReadLabels(const YamlNode& node, std::map<std::string, std::string>& labels,
                Diagnostics& diagnostics);

}  // namespace pagewarden
