// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/names.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxName = 63;
constexpr size_t kMaxArenaName = 31;
constexpr size_t kMaxFunctionName = 511;
constexpr size_t kMaxReason = 255;

bool IsNameCharacter(unsigned char c) {
  return absl::ascii_isdigit(c) || absl::ascii_islower(c) || c == '-' || c == '.';
}

bool IsName(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsNameCharacter) &&
         absl::ascii_isalnum(text.front()) && absl::ascii_isalnum(text.back());
}

template <size_t kMax>
void ReadName(const YamlNode& node, std::string& name, Diagnostics& diagnostics) {
  std::string text;
  if (!ReadTextTo(node, text, diagnostics)) return;
  if (IsName(text) && text.size() <= kMax) {
    name = std::move(text);
    return;
  }
  diagnostics.Add(
      node.at, PolicyError::kBadName, absl::StrCat("bad name ", Quoted(text)),
      absl::StrCat("1 to ", kMax, " of a-z, 0-9, '-' and '.', a letter or digit first and last"));
}

template <size_t kMax>
ValueType DescribeName() {
  return DescribeText("name", "names", "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", 1, kMax);
}

void ReadReference(const YamlNode& node, Reference& reference, Diagnostics& diagnostics) {
  reference.at = node.at;
  ReadName<kMaxName>(node, reference.name, diagnostics);
}

void ReadOptionalReference(const YamlNode& node, std::optional<Reference>& reference,
                           Diagnostics& diagnostics) {
  ReadReference(node, reference.emplace(), diagnostics);
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

void ReadFunctionName(const YamlNode& node, std::string& name, Diagnostics& diagnostics) {
  std::string text;
  if (!ReadTextTo(node, text, diagnostics)) return;
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

void ReadCodeAddress(const YamlNode& node, CodeAddress& address, Diagnostics& diagnostics) {
  std::string text;
  if (!ReadTextTo(node, text, diagnostics) || ParseCodeAddress(text, address)) return;
  diagnostics.Add(node.at, PolicyError::kBadName,
                  absl::StrCat(Quoted(text), " is not a return address"),
                  "write it as BUILDID+0xOFFSET, both in hexadecimal, lower case");
}

void ReadReason(const YamlNode& node, std::string& reason, Diagnostics& diagnostics) {
  std::string text;
  if (!ReadTextTo(node, text, diagnostics)) return;
  if (!absl::StripAsciiWhitespace(text).empty() && text.size() <= kMaxReason) {
    reason = std::move(text);
    return;
  }
  diagnostics.Add(node.at, PolicyError::kBadName, "this gives no reason",
                  absl::StrCat("say it in 1 to ", kMaxReason, " characters"));
}

void ReadDay(const YamlNode& node, absl::CivilDay& day, Diagnostics& diagnostics) {
  std::string text;
  if (!ReadTextTo(node, text, diagnostics)) return;
  absl::CivilDay parsed;
  // Only the form with all ten characters; 2026-02-31 would become 3 March.
  if (absl::ParseCivilTime(text, &parsed) && absl::FormatCivilTime(parsed) == text) {
    day = parsed;
    return;
  }
  diagnostics.Add(node.at, PolicyError::kBadDay, absl::StrCat(Quoted(text), " is not a day"),
                  "write it as YYYY-MM-DD");
}

}  // namespace

const Value<std::string> kName = {ReadName<kMaxName>, DescribeName<kMaxName>};
const Value<std::string> kArenaName = {ReadName<kMaxArenaName>, DescribeName<kMaxArenaName>};
const Value<Reference> kReference = {ReadReference, DescribeName<kMaxName>};
const Value<std::optional<Reference>> kOptionalReference = {ReadOptionalReference,
                                                            DescribeName<kMaxName>};

const Value<std::string> kFunctionName = {ReadFunctionName, [] {
                                            return DescribeText("function name", "function names",
                                                                "^[A-Za-z_.$][A-Za-z0-9_.$]*$", 1,
                                                                kMaxFunctionName);
                                          }};

const Value<CodeAddress> kCodeAddress = {ReadCodeAddress, [] {
                                           return DescribeText(
                                               "return address", "return addresses",
                                               "^([0-9a-f]{2})+\\+0x[0-9a-fA-F]{1,16}$", 0, 0);
                                         }};

const Value<std::string> kReason = {
    ReadReason, [] { return DescribeText("text", "texts", "\\S", 1, kMaxReason); }};

const Value<absl::CivilDay> kDay = {
    ReadDay, [] { return DescribeText("day", "days", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", 0, 0); }};

}  // namespace pagewarden
