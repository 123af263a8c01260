// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/needles.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/proof/pem_lines.h"

namespace pagewarden {
namespace {

constexpr size_t kLimbBytes = 8;

SecretBytes LittleEndianLimbs(const SecretBytes& big_endian) {
  SecretBytes limbs(big_endian.rbegin(), big_endian.rend());
  limbs.resize((limbs.size() + kLimbBytes - 1) / kLimbBytes * kLimbBytes);
  return limbs;
}

}  // namespace

void NeedleSet::Add(std::string representation, ByteView bytes, size_t min_run, PemPosition pem) {
  if (bytes.size() < min_run) return;
  for (const Needle& known : needles_) {
    if (AsText(Bytes(known)) == AsText(bytes)) return;  // the same key in a second file
  }
  needles_.push_back({std::move(representation), bytes_.size(), bytes.size(), min_run, pem});
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void NeedleSet::AddKey(const PrivateKey& key) {
  for (const KeyComponent& component : key.components) {
    Add(absl::StrCat(component.name, ":bytes-be"), component.bytes, kMinKeyRun);
    Add(absl::StrCat(component.name, ":limbs-le"), LittleEndianLimbs(component.bytes), kMinKeyRun);
  }
  if (key.pem.empty()) return;
  ++pem_blocks_;
  for (const PemLine& line : PrivatePemLines(AsText(key.pem), key.components)) {
    const PemPosition position{pem_blocks_, static_cast<uint32_t>(line.line),
                               static_cast<uint32_t>(line.offset)};
    Add("pem-text", AsBytes(line.text), kMinKeyRun, position);
  }
}

void NeedleSet::AddText(ByteView text) { Add("text", text, kMinTextRun); }

absl::StatusOr<NeedleSet> LoadNeedles(const std::vector<std::string>& key_files,
                                      const std::vector<std::string>& text_files) {
  NeedleSet needles;
  for (const std::string& path : key_files) {
    auto keys = LoadPrivateKeys(path);
    if (!keys.ok()) return keys.status();
    for (const PrivateKey& key : *keys) needles.AddKey(key);
  }
  for (const std::string& path : text_files) {
    auto text = LoadTextSecret(path);
    if (!text.ok()) return text.status();
    needles.AddText(*text);
  }
  return needles;
}

}  // namespace pagewarden
