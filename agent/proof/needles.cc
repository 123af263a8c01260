// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/needles.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/proof/pem_lines.h"
#include "agent/proof/text_forms.h"

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
    if (AsText(Bytes(known)) != AsText(bytes)) continue;
    if (Source(known) != sources_.back()) sharing_.insert(sources_.back());
    return;  // the same key in a second file
  }
  needles_.push_back({std::move(representation), static_cast<uint32_t>(sources_.size() - 1),
                      bytes_.size(), bytes.size(), min_run, pem});
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void NeedleSet::AddKey(const PrivateKey& key, const std::string& source) {
  sources_.push_back(source);
  for (const KeyComponent& component : key.components) {
    Add(absl::StrCat(component.name, ":bytes-be"), component.bytes, kMinKeyRun);
    Add(absl::StrCat(component.name, ":limbs-le"), LittleEndianLimbs(component.bytes), kMinKeyRun);
  }
  for (const SecretBytes& pem : key.pem) {
    ++pem_blocks_;
    for (const PemLine& line : PrivatePemLines(AsText(pem), key.components)) {
      const PemPosition position{pem_blocks_, static_cast<uint32_t>(line.line),
                                 static_cast<uint32_t>(line.offset)};
      Add("pem-text", AsBytes(line.text), kMinKeyRun, position);
    }
  }
}

void NeedleSet::AddText(ByteView text, const std::string& source) {
  sources_.push_back(source);
  for (const TextForm& form : TextForms(text)) Add(form.name, form.bytes, form.min_run);
}

void NeedleSet::AddRaw(ByteView bytes, const std::string& source) {
  sources_.push_back(source);
  for (const TextForm& form : RawForms(bytes)) Add(form.name, form.bytes, form.min_run);
}

absl::StatusOr<NeedleSet> LoadNeedles(const SecretFiles& files) {
  NeedleSet needles;
  Passphrase passphrase;
  if (!files.passphrase.empty()) {
    auto loaded = LoadPassphrase(files.passphrase);
    if (!loaded.ok()) return loaded.status();
    passphrase = *std::move(loaded);
  }
  for (const std::string& path : files.keys) {
    auto keys = LoadPrivateKeys(path, passphrase);
    if (!keys.ok()) return keys.status();
    for (const PrivateKey& key : *keys) needles.AddKey(key, path);
  }
  for (const std::string& path : files.texts) {
    auto text = LoadTextSecret(path);
    if (!text.ok()) return text.status();
    needles.AddText(*text, path);
  }
  for (const std::string& path : files.hex) {
    auto bytes = LoadHexSecret(path);
    if (!bytes.ok()) return bytes.status();
    needles.AddRaw(*bytes, path);
  }
  return needles;
}

}  // namespace pagewarden
