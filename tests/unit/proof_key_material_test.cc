// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include "agent/proof/key_material.h"
#include "tests/unit/proof_keys.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const SecretBytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

class KeyMaterialTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<PrivateKey>> Load(const std::string& contents) {
    return LoadPrivateKeys(directory_.Write("key", contents));
  }
  std::string ErrorOf(const std::string& contents) {
    const auto keys = Load(contents);
    return keys.ok() ? "loaded" : std::string(keys.status().message());
  }
  absl::StatusOr<SecretBytes> LoadText(const std::string& contents) {
    return LoadTextSecret(directory_.Write("text", contents));
  }

  TempDirectory directory_;
};

void ExpectRsaNumbers(const PrivateKey& loaded, const TestKey& key) {
  const std::pair<const char*, const char*> numbers[] = {
      {"rsa.d", OSSL_PKEY_PARAM_RSA_D},
      {"rsa.p", OSSL_PKEY_PARAM_RSA_FACTOR1},
      {"rsa.q", OSSL_PKEY_PARAM_RSA_FACTOR2},
      {"rsa.dmp1", OSSL_PKEY_PARAM_RSA_EXPONENT1},
      {"rsa.dmq1", OSSL_PKEY_PARAM_RSA_EXPONENT2},
      {"rsa.iqmp", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
  ASSERT_EQ(loaded.components.size(), std::size(numbers));
  for (size_t i = 0; i < std::size(numbers); ++i) {
    EXPECT_EQ(loaded.components[i].name, numbers[i].first);
    EXPECT_EQ(Text(loaded.components[i].bytes), Number(key, numbers[i].second));
  }
}

TEST_F(KeyMaterialTest, LoadsRsaInEveryEncoding) {
  const TestKey key = NewRsaKey();
  for (const std::string& file : {Pkcs8Pem(key), TraditionalPem(key), Der(key)}) {
    const auto keys = Load(file);
    ASSERT_TRUE(keys.ok()) << keys.status();
    ASSERT_EQ(keys->size(), 1u);
    ExpectRsaNumbers(keys->front(), key);
  }
}

TEST_F(KeyMaterialTest, LoadsEc) {
  const TestKey key = NewEcKey();
  for (const std::string& file : {Pkcs8Pem(key), TraditionalPem(key), Der(key)}) {
    const auto keys = Load(file);
    ASSERT_TRUE(keys.ok()) << keys.status();
    ASSERT_EQ(keys->front().components.size(), 1u);
    EXPECT_EQ(keys->front().components[0].name, "ec.scalar");
    EXPECT_EQ(Text(keys->front().components[0].bytes), Number(key, OSSL_PKEY_PARAM_PRIV_KEY));
  }
}

TEST_F(KeyMaterialTest, KeepsOnlyThePrivateBlocksOfAPemFile) {
  const std::string first = Pkcs8Pem(NewEcKey());
  const std::string second = TraditionalPem(NewEcKey("P-384"));
  const auto keys = Load("comment\n" + PublicPem(NewRsaKey()) + first + second);
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ(Text((*keys)[0].pem) + "\n", first);
  EXPECT_EQ(Text((*keys)[1].pem) + "\n", second);
}

TEST_F(KeyMaterialTest, DerHasNoPemText) {
  const auto keys = Load(Der(NewEcKey()));
  ASSERT_TRUE(keys.ok());
  EXPECT_TRUE(keys->front().pem.empty());
}

TEST_F(KeyMaterialTest, RefusesEncryptedKeysWithoutAsking) {
  const TestKey key = NewRsaKey();
  EXPECT_THAT(ErrorOf(Pkcs8Pem(key, EVP_aes_128_cbc())), HasSubstr("is encrypted"));
  EXPECT_THAT(ErrorOf(TraditionalPem(key, EVP_aes_128_cbc())), HasSubstr("is encrypted"));
}

TEST_F(KeyMaterialTest, NamesTheTypeItDoesNotSupport) {
  const TestKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_THAT(ErrorOf(Pkcs8Pem(key)), HasSubstr("ED25519 keys are not supported"));
  EXPECT_THAT(ErrorOf("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"), HasSubstr("OpenSSH"));
}

TEST_F(KeyMaterialTest, RefusesWhatHoldsNoPrivateKey) {
  EXPECT_THAT(ErrorOf(PublicPem(NewEcKey())), HasSubstr("contains no private key"));
  EXPECT_THAT(ErrorOf("not a key"), HasSubstr("not a private key"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("not a private key"));
  EXPECT_THAT(ErrorOf("-----BEGIN PRIVATE KEY-----\nAAAA\n"), HasSubstr("does not end"));
  EXPECT_THAT(ErrorOf(std::string(kMaxKeyFileBytes + 1, 'a')), HasSubstr("larger than"));
  const TestKey rsa = NewRsaKey();
  BIO* bio = BIO_new(BIO_s_mem());
  i2d_PUBKEY_bio(bio, rsa.get());
  EXPECT_THAT(ErrorOf(Drain(bio)), Not(HasSubstr("loaded")));
}

TEST_F(KeyMaterialTest, NamesTheFileThatIsMissing) {
  const auto keys = LoadPrivateKeys(directory_.path() + "/missing");
  ASSERT_FALSE(keys.ok());
  EXPECT_THAT(std::string(keys.status().message()), HasSubstr("missing: No such file"));
}

TEST_F(KeyMaterialTest, StripsOnlyNewlinesAtTheEndOfText) {
  EXPECT_EQ(Text(*LoadText(" pass word\r\n\n")), " pass word");
  EXPECT_EQ(Text(*LoadText("12345678")), "12345678");
  EXPECT_FALSE(LoadText("1234567\n").ok());
  EXPECT_FALSE(LoadText(std::string(kMaxTextBytes + 1, 'x')).ok());
}

TEST(SecretBytesTest, AreKeptOutOfCoreDumpsAndLocked) {
  SecretBytes bytes(100, 'x');
  std::ifstream smaps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uint64_t>(bytes.data());
  bool inside = false;
  std::string flags;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long start = 0;
    unsigned long end = 0;
    if (sscanf(line.c_str(), "%lx-%lx ", &start, &end) == 2) {
      inside = start <= wanted && wanted < end;
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      flags = line;
    }
  }
  EXPECT_THAT(flags, HasSubstr(" dd"));
  EXPECT_THAT(flags, HasSubstr(" lo"));
}

}  // namespace
}  // namespace pagewarden
