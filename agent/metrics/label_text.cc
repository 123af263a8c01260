// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/label_text.h"

#include <openssl/sha.h>

#include <cmath>
#include <cstdlib>
#include <utility>

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

constexpr char kMark[] = "…";
constexpr size_t kMarkBytes = sizeof(kMark) - 1 + 12;

// "…" and 12 hex digits of all of `value` keep two names apart that look alike.
std::string Marked(std::string text, absl::string_view value) {
  if (text.size() > kMaxLabelBytes - kMarkBytes) {
    text.resize(kMaxLabelBytes - kMarkBytes);
    while (FindBadCharacter(text) != absl::string_view::npos) text.pop_back();
  }
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(value.data()), value.size(), digest);
  absl::StrAppend(&text, kMark);
  for (int i = 0; i < 6; ++i) absl::StrAppendFormat(&text, "%02x", digest[i]);
  return text;
}

}  // namespace

std::string CleanLabel(absl::string_view value) {
  std::string text;
  absl::string_view rest = value;
  for (;;) {
    const size_t bad = FindBadCharacter(rest);
    if (bad == absl::string_view::npos) break;
    absl::StrAppend(&text, rest.substr(0, bad), kReplacement);
    rest.remove_prefix(bad + 1);
  }
  absl::StrAppend(&text, rest);
  const bool is_itself = text.size() == value.size() && text.size() <= kMaxLabelBytes;
  return is_itself ? text : Marked(std::move(text), value);
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
