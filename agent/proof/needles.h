// SPDX-License-Identifier: Apache-2.0
// The byte strings to look for: every form in which memory holds the secrets.
//
//   NeedleSet needles;
//   needles.AddKey(key);        // rsa.p:bytes-be, rsa.p:limbs-le, …, pem-text
//   needles.AddText(password);  // text, utf16-le, base64, …
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proof/key_material.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {

inline constexpr size_t kMinKeyRun = 16;

// Where a needle sits in the PEM block it is a line of.
struct PemPosition {
  uint32_t block = 0;  // counted from 1; 0: not PEM text
  uint32_t line = 0;
  uint32_t offset = 0;
};

struct Needle {
  std::string representation;
  uint32_t secret = 0;  // whose form it is; counted from 0
  size_t begin = 0;     // into the set's bytes
  size_t size = 0;
  size_t min_run = 0;  // intact contiguous bytes that make a copy
  PemPosition pem;
};

class NeedleSet {
 public:
  // Each number as big-endian bytes (DER, S-expressions, seeds) and as
  // little-endian 64-bit limbs (OpenSSL's BIGNUM, gmp), and the private part of
  // the PEM texts. `source` names the secret in reports.
  void AddKey(const PrivateKey& key, const std::string& source = "");
  void AddText(ByteView text, const std::string& source = "");
  void AddRaw(ByteView bytes, const std::string& source = "");

  size_t size() const { return needles_.size(); }
  const Needle& operator[](size_t index) const { return needles_[index]; }
  ByteView Bytes(const Needle& needle) const {
    return ByteView(bytes_.data() + needle.begin, needle.size);
  }
  size_t secrets() const { return sources_.size(); }
  const std::string& Source(const Needle& needle) const { return sources_[needle.secret]; }

  // Some of the forms are also another source's, which copies of them are said to be of.
  bool Shares(const std::string& source) const { return sharing_.count(source) != 0; }

 private:
  void Add(std::string representation, ByteView bytes, size_t min_run, PemPosition pem = {});

  SecretBytes bytes_;
  std::vector<Needle> needles_;
  std::vector<std::string> sources_;  // by secret
  std::set<std::string> sharing_;     // sources with forms that others had before
  uint32_t pem_blocks_ = 0;
};

struct SecretFiles {
  std::vector<std::string> keys;
  std::vector<std::string> texts;
  std::vector<std::string> hex;
  std::string passphrase;  // of encrypted keys; empty: none
};

// The needles of the secrets in the files. The first error names its file.
absl::StatusOr<NeedleSet> LoadNeedles(const SecretFiles& files);

inline absl::StatusOr<NeedleSet> LoadNeedles(const std::vector<std::string>& key_files,
                                             const std::vector<std::string>& text_files) {
  return LoadNeedles(SecretFiles{key_files, text_files, {}, ""});
}

}  // namespace pagewarden
