// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/patterns.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxPath = 4095;
constexpr size_t kMaxPattern = 255;
constexpr size_t kMaxThreadName = 15;  // TASK_COMM_LEN of the kernel, without the NUL

bool IsCanonicalPath(absl::string_view path) {
  if (path.size() < 2 || path.size() > kMaxPath) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(path.substr(1), '/');
  return std::none_of(parts.begin(), parts.end(), [](absl::string_view part) {
    return part.empty() || part == "." || part == "..";
  });
}

// `what` and `whose` are for messages.
void ReadFilePath(const char* what, const char* whose, const YamlNode& node, std::string& path,
                  Diagnostics& diagnostics) {
  std::string text;
  if (!ReadTextTo(node, text, diagnostics)) return;
  if (text.empty() || text.front() != '/') {
    diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                    absl::StrCat(what, " ", Quoted(text), " is not an absolute path"),
                    absl::StrCat("write the path of ", whose, ", starting with /"));
  } else if (!IsCanonicalPath(text)) {
    diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                    absl::StrCat(what, " ", Quoted(text), " is not a plain path of a file"),
                    "write it without \".\", \"..\" and repeated or trailing slashes");
  } else {
    path = std::move(text);
  }
}

void ReadBinaryPath(const YamlNode& node, std::string& path, Diagnostics& diagnostics) {
  ReadFilePath("binary", "the executable", node, path, diagnostics);
}

// A pattern that comes to match nothing would hide that a secret is no longer watched.
void ReadSecretPath(const YamlNode& node, std::string& path, Diagnostics& diagnostics) {
  std::string text;
  ReadFilePath("secret", "the file", node, text, diagnostics);
  if (text.find_first_of("*?") == text.npos) {
    path = std::move(text);
    return;
  }
  diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                  absl::StrCat("secret ", Quoted(text), " is a pattern, not the path of a file"),
                  "name each file: one that is missing is then noticed");
}

template <size_t kMax>
void ReadPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics) {
  std::string text;
  if (!ReadTextTo(node, text, diagnostics)) return;
  if (!text.empty() && text.size() <= kMax) {
    pattern = std::move(text);
    return;
  }
  diagnostics.Add(node.at, PolicyError::kBadName, absl::StrCat("bad pattern ", Quoted(text)),
                  absl::StrCat("1 to ", kMax, " characters"));
}

// Empty: reported.
std::string PatternOf(const YamlNode& node, Diagnostics& diagnostics) {
  std::string text;
  ReadPattern<kMaxPattern>(node, text, diagnostics);
  return text;
}

void ReadPathPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics) {
  std::string text = PatternOf(node, diagnostics);
  if (text.empty()) return;
  if (text.front() == '/') {
    pattern = std::move(text);
    return;
  }
  diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                  absl::StrCat("path ", Quoted(text), " is not absolute"),
                  "write the path of the file, starting with /");
}

void ReadCgroupPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics) {
  std::string text = PatternOf(node, diagnostics);
  if (text.empty()) return;
  if (absl::StartsWith(text, "/sys/fs/cgroup")) {
    diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                    absl::StrCat("cgroup ", Quoted(text), " is a path of the file system"),
                    "write it as /proc/PID/cgroup shows it, without /sys/fs/cgroup");
  } else if (text.front() != '/' || (text.size() > 1 && text.back() == '/')) {
    diagnostics.Add(node.at, PolicyError::kNotAbsolute,
                    absl::StrCat("cgroup ", Quoted(text), " is not a path of a cgroup"),
                    "write it as /proc/PID/cgroup shows it, starting with /");
  } else {
    pattern = std::move(text);
  }
}

bool EndsWithAny(absl::string_view text, const std::vector<absl::string_view>& suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&](absl::string_view suffix) { return absl::EndsWith(text, suffix); });
}

// What to write instead of `text`, which is no unit of these kinds.
std::string UnitHint(const std::string& text, const std::vector<absl::string_view>& suffixes) {
  if (absl::StrContains(text, '/')) return "for a path, use matchCgroups";
  if (EndsWithAny(text, {".slice"})) return "for slices, use matchSlices";
  if (EndsWithAny(text, {".service", ".scope"})) return "for services and scopes, use matchUnits";
  if (EndsWithAny(text, {".socket", ".timer", ".path", ".target", ".mount"}))
    return "name the service that it starts";
  return absl::StrCat("did you mean ", Quoted(absl::StrCat(text, suffixes[0])), "?");
}

void ReadUnit(const YamlNode& node, const std::vector<absl::string_view>& suffixes,
              absl::string_view what, std::string& pattern, Diagnostics& diagnostics) {
  std::string text = PatternOf(node, diagnostics);
  if (text.empty()) return;
  const bool has_suffix = text.back() == '*' || EndsWithAny(text, suffixes);
  if (has_suffix && !absl::StrContains(text, '/')) {
    pattern = std::move(text);
    return;
  }
  diagnostics.Add(node.at, PolicyError::kBadName,
                  absl::StrCat(Quoted(text), " is not the name of a ", what),
                  UnitHint(text, suffixes));
}

void ReadUnitPattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics) {
  ReadUnit(node, {".service", ".scope"}, "service or scope", pattern, diagnostics);
}

void ReadSlicePattern(const YamlNode& node, std::string& pattern, Diagnostics& diagnostics) {
  ReadUnit(node, {".slice"}, "slice", pattern, diagnostics);
}

bool IsVariableName(absl::string_view name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
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

ValueType DescribeTextMap(const char* pattern) {
  ValueType type = DescribeText("map of text", "maps of text", pattern, 0, 0);
  type.kind = ValueType::Kind::kTextMap;
  return type;
}

}  // namespace

const Value<std::string> kBinaryPath = {ReadBinaryPath, [] {
                                          return DescribeText("absolute path", "absolute paths",
                                                              "^(/(?!\\.{1,2}(/|$))[^/]+)+$", 2,
                                                              kMaxPath);
                                        }};
const Value<std::string> kSecretPath = {ReadSecretPath, [] {
                                          return DescribeText("absolute path", "absolute paths",
                                                              "^(/(?!\\.{1,2}(/|$))[^/*?]+)+$", 2,
                                                              kMaxPath);
                                        }};
const Value<std::string> kPattern = {
    ReadPattern<kMaxPattern>,
    [] { return DescribeText("pattern", "patterns", "", 1, kMaxPattern); }};
const Value<std::string> kThreadPattern = {
    ReadPattern<kMaxThreadName>,
    [] { return DescribeText("pattern", "patterns", "", 1, kMaxThreadName); }};
const Value<std::string> kPathPattern = {ReadPathPattern, [] {
                                           return DescribeText("pattern of an absolute path",
                                                               "patterns of absolute paths", "^/",
                                                               1, kMaxPattern);
                                         }};
const Value<std::string> kCgroupPattern = {
    ReadCgroupPattern, [] {
      return DescribeText("pattern of a cgroup", "patterns of cgroups",
                          "^(?!/sys/fs/cgroup)/([^\\n]*[^/\\n])?$", 1, kMaxPattern);
    }};
const Value<std::string> kUnitPattern = {
    ReadUnitPattern, [] {
      return DescribeText("pattern of a service or scope", "patterns of services or scopes",
                          "^[^/]*(\\*|\\.service|\\.scope)$", 1, kMaxPattern);
    }};
const Value<std::string> kSlicePattern = {ReadSlicePattern, [] {
                                            return DescribeText(
                                                "pattern of a slice", "patterns of slices",
                                                "^[^/]*(\\*|\\.slice)$", 1, kMaxPattern);
                                          }};
const Value<std::map<std::string, std::string>> kVariables = {
    ReadVariables, [] { return DescribeTextMap("^(?!LD_|PAGEWARDEN_)[A-Za-z_][A-Za-z0-9_]*$"); }};
const Value<std::map<std::string, std::string>> kLabels = {ReadLabels,
                                                           [] { return DescribeTextMap(""); }};

}  // namespace pagewarden
