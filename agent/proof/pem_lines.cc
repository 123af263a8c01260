// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/pem_lines.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/match.h"

namespace pagewarden {
namespace {

// The DER header between two private numbers is at most this long. A line is
// not cut there: 16 characters around it still hold at least 8 private bytes.
constexpr size_t kMaxHeaderBytes = 5;

std::vector<PemLine> Base64Lines(absl::string_view block) {
  std::vector<PemLine> lines;
  size_t offset = 0;
  for (size_t begin = block.find('\n'); begin != block.npos;) {
    ++begin;
    const size_t next = block.find('\n', begin);
    absl::string_view line = block.substr(begin, next == block.npos ? next : next - begin);
    if (absl::StartsWith(line, "-----END ")) break;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty() && !absl::StrContains(line, ':')) {
      lines.push_back({line, lines.size(), offset});
      offset += line.size();
    }
    begin = next;
  }
  return lines;
}

SecretBytes DecodeLines(const std::vector<PemLine>& lines) {
  SecretBytes base64;
  for (const PemLine& line : lines) base64.insert(base64.end(), line.text.begin(), line.text.end());
  SecretBytes der(base64.size() / 4 * 3 + 3);
  const int bytes = EVP_DecodeBlock(der.data(), base64.data(), static_cast<int>(base64.size()));
  der.resize(bytes < 0 ? 0 : static_cast<size_t>(bytes));
  return der;
}

std::vector<bool> PrivateBytes(const SecretBytes& der,
                               const std::vector<KeyComponent>& components) {
  std::vector<bool> is_private(der.size(), false);
  for (const KeyComponent& component : components) {
    const auto found =
        std::search(der.begin(), der.end(), component.bytes.begin(), component.bytes.end());
    if (found == der.end()) continue;
    std::fill_n(is_private.begin() + (found - der.begin()), component.bytes.size(), true);
  }
  return is_private;
}

void CloseGaps(std::vector<bool>& is_private) {
  size_t previous = is_private.size();
  for (size_t i = 0; i < is_private.size(); ++i) {
    if (!is_private[i]) continue;
    if (previous < i && i - previous - 1 <= kMaxHeaderBytes) {
      std::fill(is_private.begin() + previous, is_private.begin() + i, true);
    }
    previous = i;
  }
}

// A base64 character holds six bits: of one byte, or of two.
bool IsPrivateCharacter(size_t index, const std::vector<bool>& is_private) {
  const size_t first = index * 6 / 8;
  const size_t last = (index * 6 + 5) / 8;
  return last < is_private.size() && is_private[first] && is_private[last];
}

}  // namespace

SecretBytes DecodePemText(absl::string_view block) { return DecodeLines(Base64Lines(block)); }

std::vector<PemLine> PrivatePemLines(absl::string_view block,
                                     const std::vector<KeyComponent>& components) {
  const std::vector<PemLine> lines = Base64Lines(block);
  std::vector<bool> is_private = PrivateBytes(DecodeLines(lines), components);
  CloseGaps(is_private);
  std::vector<PemLine> found;
  for (const PemLine& line : lines) {
    size_t begin = 0;
    for (size_t end = 0; end <= line.text.size(); ++end) {
      if (end < line.text.size() && IsPrivateCharacter(line.offset + end, is_private)) continue;
      if (end > begin) {
        found.push_back({line.text.substr(begin, end - begin), line.line, line.offset + begin});
      }
      begin = end + 1;
    }
  }
  return found;
}

}  // namespace pagewarden
