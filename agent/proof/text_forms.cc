// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/text_forms.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace pagewarden {
namespace {

constexpr size_t kMinTextRun = 8;
constexpr size_t kMinLongRun = 16;  // of bytes, and of forms that spend several on a character
constexpr size_t kPhases = 3;
constexpr char kHexLower[] = "0123456789abcdef";
constexpr char kHexUpper[] = "0123456789ABCDEF";

// The characters that any `bytes` bytes determine alone, at the worst phase.
constexpr size_t SureCharacters(size_t bytes, size_t phase = 1) {
  return (phase + bytes) * 8 / 6 - (phase * 8 + 5) / 6;
}

// Without the first and last characters, which neighbours have a part in.
SecretBytes Base64Interior(ByteView bytes, size_t phase) {
  SecretBytes padded(phase);
  padded.insert(padded.end(), bytes.begin(), bytes.end());
  SecretBytes encoded((padded.size() + 2) / 3 * 4 + 1);
  EVP_EncodeBlock(encoded.data(), padded.data(), static_cast<int>(padded.size()));
  const auto first = encoded.begin() + static_cast<ptrdiff_t>((phase * 8 + 5) / 6);
  return SecretBytes(first, first + static_cast<ptrdiff_t>(SureCharacters(bytes.size(), phase)));
}

// RFC 4648, 5.
SecretBytes UrlAlphabet(SecretBytes base64) {
  std::replace(base64.begin(), base64.end(), '+', '-');
  std::replace(base64.begin(), base64.end(), '/', '_');
  return base64;
}

void AddBase64(ByteView bytes, size_t min_bytes, std::vector<TextForm>& forms) {
  for (size_t phase = 0; phase < kPhases; ++phase) {
    SecretBytes encoded = Base64Interior(bytes, phase);
    SecretBytes url = UrlAlphabet(encoded);
    const bool differs = url != encoded;
    forms.push_back({"base64", std::move(encoded), SureCharacters(min_bytes)});
    if (differs) forms.push_back({"base64-url", std::move(url), SureCharacters(min_bytes)});
  }
}

SecretBytes Hex(ByteView bytes, const char* digits) {
  SecretBytes text;
  text.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    text.push_back(static_cast<unsigned char>(digits[byte >> 4]));
    text.push_back(static_cast<unsigned char>(digits[byte & 15]));
  }
  return text;
}

void Append(absl::string_view text, SecretBytes& bytes) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}

void AppendHex(unsigned char byte, const char* digits, SecretBytes& bytes) {
  bytes.push_back(static_cast<unsigned char>(digits[byte >> 4]));
  bytes.push_back(static_cast<unsigned char>(digits[byte & 15]));
}

// RFC 8259, 7: what must be escaped, in the short form where there is one.
SecretBytes JsonEscaped(ByteView text) {
  constexpr absl::string_view kSpecial("\"\\\b\f\n\r\t", 7);
  constexpr absl::string_view kLetters("\"\\bfnrt", 7);
  SecretBytes escaped;
  for (const unsigned char c : text) {
    const size_t special = kSpecial.find(static_cast<char>(c));
    if (special != kSpecial.npos) {
      escaped.push_back('\\');
      escaped.push_back(static_cast<unsigned char>(kLetters[special]));
    } else if (c < 0x20) {
      Append("\\u00", escaped);
      AppendHex(c, kHexLower, escaped);
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

// RFC 3986, 2: all but the unreserved characters.
SecretBytes UrlEscaped(ByteView text) {
  SecretBytes escaped;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) ||
        absl::string_view("-._~").find(static_cast<char>(c)) != absl::string_view::npos) {
      escaped.push_back(c);
    } else {
      escaped.push_back('%');
      AppendHex(c, kHexUpper, escaped);
    }
  }
  return escaped;
}

// The code point that begins at text[at], and its length; text that is not UTF-8
// counts as Latin-1, a byte a character.
char32_t NextCodePoint(ByteView text, size_t at, size_t& length) {
  const unsigned char first = text[at];
  length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  if (length == 1 || length > text.size() - at) {
    length = 1;
    return first;
  }
  char32_t point = first & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((text[at + i] & 0xc0) != 0x80) {
      length = 1;
      return first;
    }
    point = point << 6 | (text[at + i] & 0x3f);
  }
  return point;
}

SecretBytes Utf16(ByteView text) {
  SecretBytes encoded;
  const auto append = [&encoded](char32_t unit) {
    encoded.push_back(static_cast<unsigned char>(unit & 0xff));
    encoded.push_back(static_cast<unsigned char>(unit >> 8 & 0xff));
  };
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    const char32_t point = NextCodePoint(text, at, length);
    if (point >= 0x10000) {
      append(0xd800 + ((point - 0x10000) >> 10 & 0x3ff));
      append(0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
      append(point);
    }
  }
  return encoded;
}

}  // namespace

std::vector<TextForm> TextForms(ByteView text) {
  std::vector<TextForm> forms;
  forms.push_back({"text", SecretBytes(text.begin(), text.end()), kMinTextRun});
  SecretBytes utf16 = Utf16(text);
  const size_t utf16_run = std::min(utf16.size(), 2 * kMinTextRun);
  forms.push_back({"utf16-le", std::move(utf16), utf16_run});
  AddBase64(text, kMinTextRun, forms);
  for (auto& [name, escaped] : {std::pair<const char*, SecretBytes>("json", JsonEscaped(text)),
                                std::pair<const char*, SecretBytes>("url", UrlEscaped(text))}) {
    if (ByteView(escaped) == text) continue;
    forms.push_back({name, escaped, std::min(escaped.size(), kMinLongRun)});
  }
  return forms;
}

std::vector<TextForm> RawForms(ByteView bytes) {
  const size_t min_run = bytes.size() >= kMinLongRun ? kMinLongRun : kMinTextRun;
  std::vector<TextForm> forms;
  forms.push_back({"bytes", SecretBytes(bytes.begin(), bytes.end()), min_run});
  forms.push_back({"hex", Hex(bytes, kHexLower), 2 * min_run});
  forms.push_back({"hex-upper", Hex(bytes, kHexUpper), 2 * min_run});
  AddBase64(bytes, min_run, forms);
  return forms;
}

}  // namespace pagewarden
