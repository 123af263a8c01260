// SPDX-License-Identifier: Apache-2.0
// Key files of every format, damaged: each loads or is refused with a line.
#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include "agent/proof/key_material.h"
#include "agent/proof/needles.h"
#include "agent/proof/openssh_key.h"
#include "agent/proof/pem_lines.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/proof_keys.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

constexpr int kRounds = 400;

class KeyFuzzTest : public ::testing::Test {
 protected:
  // How many of the damaged files still load. Their needles are made too.
  int Load(const std::string& file, int rounds) {
    Mutator mutate;
    int loaded = 0;
    for (int round = 0; round < rounds; ++round) {
      const std::string path = directory_.Write("key", mutate(file));
      const auto keys = LoadPrivateKeys(path, passphrase_);
      if (!keys.ok()) {
        EXPECT_EQ(keys.status().message().find(path), 0u) << keys.status();
        EXPECT_EQ(keys.status().message().find('\n'), absl::string_view::npos);
        continue;
      }
      ++loaded;
      NeedleSet needles;
      for (const PrivateKey& key : *keys) needles.AddKey(key);
    }
    return loaded;
  }

  const Passphrase passphrase_ = SecretBytes(6, 's');
  TempDirectory directory_;
};

TEST_F(KeyFuzzTest, Pem) {
  const TestKey key = NewEcKey();
  EXPECT_LT(Load(Pkcs8Pem(key) + TraditionalPem(key), kRounds), kRounds);
}

TEST_F(KeyFuzzTest, Der) { EXPECT_LT(Load(Der(NewRsaKey()), kRounds), kRounds); }

TEST_F(KeyFuzzTest, Pkcs12) { EXPECT_LT(Load(Pkcs12(NewEcKey(), "ssssss"), kRounds / 4), kRounds); }

std::string Length(size_t length) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(length >> shift);
  return bytes;
}

std::string Field(const std::string& bytes) { return Length(bytes.size()) + bytes; }

// PROTOCOL.key; rounds of the key derivation: 1.
std::string OpenSshKey(const std::string& cipher, const TestKey& rsa) {
  std::string fields = Field("ssh-rsa");
  for (const char* parameter : {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
                                OSSL_PKEY_PARAM_RSA_COEFFICIENT1, OSSL_PKEY_PARAM_RSA_FACTOR1,
                                OSSL_PKEY_PARAM_RSA_FACTOR2}) {
    fields += Field('\0' + Number(rsa, parameter));
  }
  const std::string options = Field("0123456789abcdef") + Length(1);
  std::string key("openssh-key-v1\0", 15);
  return key + Field(cipher) + Field(cipher == "none" ? "none" : "bcrypt") +
         Field(cipher == "none" ? "" : options) + Length(1) + Field("public") +
         Field(Length(7) + Length(7) + fields + Field("comment"));
}

TEST_F(KeyFuzzTest, OpenSsh) {
  const TestKey rsa = NewRsaKey();
  ASSERT_TRUE(ParseOpenSshKey(AsBytes(OpenSshKey("none", rsa)), passphrase_).ok());
  for (const char* cipher : {"none", "aes256-ctr", "aes256-gcm@openssh.com"}) {
    Mutator mutate;
    const std::string key = OpenSshKey(cipher, rsa);
    for (int round = 0; round < kRounds / 4; ++round) {
      const std::string damaged = mutate(key);
      const auto parsed = ParseOpenSshKey(AsBytes(damaged), passphrase_);
      EXPECT_TRUE(!parsed.ok() || !parsed->empty());
    }
  }
}

TEST_F(KeyFuzzTest, PemLines) {
  Mutator mutate;
  const TestKey key = NewEcKey();
  const auto keys = LoadPrivateKeys(directory_.Write("key", Pkcs8Pem(key)));
  ASSERT_TRUE(keys.ok());
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = mutate(Pkcs8Pem(key));
    for (const PemLine& line : PrivatePemLines(text, keys->front().components)) {
      EXPECT_GE(line.text.data(), text.data());
      EXPECT_LE(line.text.data() + line.text.size(), text.data() + text.size());
    }
  }
}

}  // namespace
}  // namespace pagewarden
