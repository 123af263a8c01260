// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/label_text.h"

#include <openssl/sha.h>

#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "agent/metrics/samples.h"
#include "agent/policy/utf8.h"

namespace pagewarden {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";  // U+FFFD
constexpr size_t kMaxLabelBytes = 512;
constexpr double kMaxExactInteger = 9007199254740992;  // 2^53

// "…" and 12 hex digits keep two long names apart that begin alike.
std::string Shorten(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string result = text.substr(0, kMaxLabelBytes - 16);
  while (FindBadCharacter(result) != absl::string_view::npos) result.pop_back();
  absl::StrAppend(&result, "…");
  for (int i = 0; i < 6; ++i) absl::StrAppendFormat(&result, "%02x", digest[i]);
  return result;
}

}  // namespace

std::string CleanLabel(absl::string_view value) {
  std::string result;
  for (;;) {
    const size_t bad = FindBadCharacter(value);
    if (bad == absl::string_view::npos) break;
    absl::StrAppend(&result, value.substr(0, bad), kReplacement);
    value.remove_prefix(bad + 1);
  }
  absl::StrAppend(&result, value);
  return result.size() > kMaxLabelBytes ? Shorten(result) : result;
}

std::string EscapeLabel(absl::string_view value) {
  return absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
}

std::string EscapeHelp(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\n", "\\n"}});
}

std::string FormatValue(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::floor(value) && std::abs(value) < kMaxExactInteger) {
    return absl::StrFormat("%.0f", value);
  }
  const std::string shorter = absl::StrFormat("%.15g", value);
  return std::strtod(shorter.c_str(), nullptr) == value ? shorter : absl::StrFormat("%.17g", value);
}

std::string FormatBound(double bound) {
  const std::string text = FormatValue(bound);
  const bool integer = text.find_first_not_of("0123456789") == std::string::npos;
  return integer ? text + ".0" : text;
}

}  // namespace pagewarden
