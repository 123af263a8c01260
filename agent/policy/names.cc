// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "agent/policy/fields.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxName = 63;
constexpr size_t kMaxArenaName = 31;
constexpr size_t kMaxPath = 4095;
constexpr size_t kMaxFunctionName = 511;
constexpr size_t kMaxPattern = 255;
constexpr size_t kMaxThreadName = 15;  // TASK_COMM_LEN of the kernel, without the NUL

bool IsNameCharacter(unsigned char c) {
  return absl::ascii_isdigit(c) || absl::ascii_islower(c) || c == '-' || c == '.';
}

bool IsName(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsNameCharacter) &&
         absl::ascii_isalnum(text.front()) && absl::ascii_isalnum(text.back());
}

void ReadBoundedName(const YamlNode& node, size_t max, std::string& name,
                     Diagnostics& diagnostics) {
  std::string text;
  const size_t errors = diagnostics.count();
  ReadText(node, text, diagnostics);
  if (diagnostics.count() != errors) return;
  if (IsName(text) && text.size() <= max) {
    name = std::move(text);
    return;
  }
  diagnostics.Add(
      node.at, PolicyError::kBadName, absl::StrCat("bad name ", Quoted(text)),
      absl::StrCat("1 to ", max, " of a-z, 0-9, '-' and '.', a letter or digit first and last"));
}

bool IsFunctionCharacter(unsigned char c) {
  return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '$';
}

bool IsFunctionName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxFunctionName &&
         std::all_of(text.begin(), text.end(), IsFunctionCharacter) &&
         !absl::ascii_isdigit(text.front());
}

bool IsInterposedByShim(absl::string_view name) {
  static constexpr absl::string_view kExact[] = {
      "malloc",        "calloc",         "realloc", "reallocarray", "free",  "memalign",
      "aligned_alloc", "posix_memalign", "valloc",  "pvalloc",      "cfree", "malloc_usable_size"};
  // Mangled operator new, new[], delete and delete[]; the shim's own exports.
  static constexpr absl::string_view kPrefixes[] = {"_Znw", "_Zna", "_Zdl", "_Zda", "pagewarden_"};
  return std::find(std::begin(kExact), std::end(kExact), name) != std::end(kExact) ||
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](absl::string_view prefix) { return absl::StartsWith(name, prefix); });
}

bool IsCanonicalPath(absl::string_view path) {
  if (path.size() < 2 || path.size() > kMaxPath) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(path.substr(1), '/');
  return std::none_of(parts.begin(), parts.end(), [](absl::string_view part) {
    return part.empty() || part == "." || part == "..";
  });
}

}  // namespace

void ReadName(const YamlNode& node, std::string& name, Diagnostics& diagnostics) {
  ReadBoundedName(node, kMaxName, name, diagnostics);
}

void ReadArenaName(const YamlNode& node, std::string& name, Diagnostics& diagnostics) {
  ReadBoundedName(node, kMaxArenaName, name, diagnostics);
}

void ReadReference(const YamlNode& node, Reference& reference, Diagnostics& diagnostics) {
  reference.at = node.at;
  ReadName(node, reference.name, diagnostics);
}

void ReadOptionalReference(const YamlNode& node, std::optional<Reference>& reference,
                           Diagnostics& diagnostics) {
  ReadReference(node, reference.emplace(), diagnostics);
}

void ReadBinaryPath(const YamlNode& node, std::string& path, Diagnostics& diagnostics) {
  std::string text;
  ReadText(node, text, diagnostics);
  if (text.empty()) return;
  if (text.front() != '/') {
    diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                    absl::StrCat("binary ", Quoted(text), " is not an absolute path"),
                    "write the path of the executable, starting with /");
  } else if (!IsCanonicalPath(text)) {
    diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                    absl::StrCat("binary ", Quoted(text), " is not a plain path of a file"),
                    "write it without \".\", \"..\" and repeated or trailing slashes");
  } else {
    path = std::move(text);
  }
}

void ReadFunctionName(const YamlNode& node, std::string& name, Diagnostics& diagnostics) {
  std::string text;
  const size_t errors = diagnostics.count();
  ReadText(node, text, diagnostics);
  if (diagnostics.count() != errors) return;
  if (!IsFunctionName(text)) {
    diagnostics.Add(node.at, PolicyError::kBadName,
                    absl::StrCat(Quoted(text), " is not the name of an exported function"),
                    "write it as `nm -D --defined-only` prints it, without @VERSION");
  } else if (IsInterposedByShim(text)) {
    diagnostics.Add(node.at, PolicyError::kConflict,
                    absl::StrCat(Quoted(text), " is interposed by the shim itself"),
                    "name the function that makes the allocations");
  } else {
    name = std::move(text);
  }
}

namespace {

void ReadBoundedPattern(const YamlNode& node, size_t max, std::string& pattern,
                        Diagnostics& diagnostics) {
  std::string text;
  const size_t errors = diagnostics.count();
  ReadText(node, text, diagnostics);
  if (diagnostics.count() != errors) return;
  if (!text.empty() && text.size() <= max) {
    pattern = std::move(text);
    return;
  }
  diagnostics.Add(node.at, PolicyError::kBadName, absl::StrCat("bad pattern ", Quoted(text)),
                  absl::StrCat("1 to ", max, " characters"));
}

bool ParseBuildId(absl::string_view hex, std::string& bytes) {
  const bool is_hex = std::all_of(hex.begin(), hex.end(), [](unsigned char c) {
    return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
  });
  if (!is_hex || hex.empty() || hex.size() % 2 != 0 || hex.size() > 2 * abi::kMaxBuildIdBytes)
    return false;
  bytes = absl::HexStringToBytes(hex);
  return true;
}

bool ParseCodeAddress(absl::string_view text, CodeAddress& address) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits("+0x", 1));
  return ParseBuildId(parts.first, address.build_id) && !parts.second.empty() &&
         parts.second.size() <= 16 && absl::SimpleHexAtoi(parts.second, &address.offset);
}

bool IsVariableName(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

}  // namespace

void ReadPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics) {
  ReadBoundedPattern(node, kMaxPattern, pattern, diagnostics);
}

void ReadThreadPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics) {
  ReadBoundedPattern(node, kMaxThreadName, pattern, diagnostics);
}

void ReadPathPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics) {
  std::string text;
  ReadPattern(node, text, diagnostics);
  if (text.empty()) return;
  if (text.front() == '/') {
    pattern = std::move(text);
    return;
  }
  diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                  absl::StrCat("path ", Quoted(text), " is not absolute"),
                  "write the path of the file, starting with /");
}

void ReadCodeAddress(const YamlNode& node, CodeAddress& address, Diagnostics& diagnostics) {
  std::string text;
  const size_t errors = diagnostics.count();
  ReadText(node, text, diagnostics);
  if (diagnostics.count() != errors || ParseCodeAddress(text, address)) return;
  diagnostics.Add(node.at, PolicyError::kBadName,
                  absl::StrCat(Quoted(text), " is not a return address"),
                  "write it as BUILDID+0xOFFSET, both in hexadecimal, lower case");
}

void ReadVariables(const YamlNode& node, std::map<std::string, std::string>& variables,
                   Diagnostics& diagnostics) {
  if (!ExpectKind(node, YamlNode::Kind::kMap, diagnostics)) return;
  for (const YamlEntry& entry : node.entries) {
    const std::string& name = entry.key.value;
    if (!IsVariableName(name)) {
      diagnostics.Add(entry.key.at, PolicyError::kBadName,
                      absl::StrCat(Quoted(name), " is not the name of a variable"));
    } else if (absl::StartsWith(name, "LD_") || absl::StartsWith(name, "PAGEWARDEN_")) {
      diagnostics.Add(entry.key.at, PolicyError::kConflict,
                      absl::StrCat(Quoted(name), " is set by pagewarden itself, or by nobody"));
    } else {
      ReadText(entry.value, variables[name], diagnostics);
    }
  }
}

void ReadLabels(const YamlNode& node, std::map<std::string, std::string>& labels,
                Diagnostics& diagnostics) {
  if (!ExpectKind(node, YamlNode::Kind::kMap, diagnostics)) return;
  for (const YamlEntry& entry : node.entries) {
    ReadText(entry.value, labels[entry.key.value], diagnostics);
  }
}

}  // namespace pagewarden
