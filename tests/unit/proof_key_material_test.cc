// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include <filesystem>
#include <sstream>

#include "absl/strings/escaping.h"
#include "agent/proof/key_material.h"
#include "tests/unit/proof_keys.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const SecretBytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

SecretBytes Bytes(const std::string& text) { return SecretBytes(text.begin(), text.end()); }

class KeyMaterialTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<PrivateKey>> Load(const std::string& contents,
                                               const Passphrase& passphrase = {}) {
    return LoadPrivateKeys(directory_.Write("key", contents), passphrase);
  }
  std::string ErrorOf(const std::string& contents, const Passphrase& passphrase = {}) {
    const auto keys = Load(contents, passphrase);
    return keys.ok() ? "loaded" : std::string(keys.status().message());
  }
  absl::StatusOr<SecretBytes> LoadText(const std::string& contents) {
    return LoadTextSecret(directory_.Write("text", contents));
  }
  absl::StatusOr<SecretBytes> LoadHex(const std::string& contents) {
    return LoadHexSecret(directory_.Write("hex", contents));
  }
  // What ssh-keygen(1) writes with these options.
  std::string OpenSshKey(const std::string& options) {
    const std::string path = directory_.path() + "/ssh";
    std::filesystem::remove(path);
    const std::string command = "ssh-keygen -q -f " + path + " " + options + " >/dev/null";
    EXPECT_EQ(system(command.c_str()), 0) << command;
    return ReadFile(path);
  }
  // The same key as PKCS #8 or so, which OpenSSL reads.
  TestKey Converted(const std::string& openssh_key) {
    const std::string path = directory_.Write("converted", openssh_key);
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    const std::string command =
        "ssh-keygen -q -p -m PEM -P secret -N \"\" -f " + path + " >/dev/null";
    EXPECT_EQ(system(command.c_str()), 0);
    BIO* bio = BIO_new_file(path.c_str(), "r");
    TestKey key(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
    BIO_free(bio);
    return key;
  }

  const Passphrase right_ = Bytes("secret");
  const Passphrase wrong_ = Bytes("terces");
  TempDirectory directory_;
};

std::string Find(const PrivateKey& key, const std::string& name) {
  for (const KeyComponent& component : key.components) {
    if (component.name == name) return Text(component.bytes);
  }
  ADD_FAILURE() << "no " << name;
  return "";
}

void ExpectRsaNumbers(const PrivateKey& loaded, const TestKey& key) {
  const std::pair<const char*, const char*> numbers[] = {
      {"rsa.d", OSSL_PKEY_PARAM_RSA_D},
      {"rsa.p", OSSL_PKEY_PARAM_RSA_FACTOR1},
      {"rsa.q", OSSL_PKEY_PARAM_RSA_FACTOR2},
      {"rsa.dmp1", OSSL_PKEY_PARAM_RSA_EXPONENT1},
      {"rsa.dmq1", OSSL_PKEY_PARAM_RSA_EXPONENT2},
      {"rsa.iqmp", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
  for (const auto& [name, parameter] : numbers) {
    EXPECT_EQ(Find(loaded, name), Number(key, parameter)) << name;
  }
}

TEST_F(KeyMaterialTest, LoadsRsaInEveryEncoding) {
  const TestKey key = NewRsaKey();
  for (const std::string& file :
       {Pkcs8Pem(key), TraditionalPem(key), Der(key), Pkcs8Der(key), Pkcs12(key, "")}) {
    const auto keys = Load(file);
    ASSERT_TRUE(keys.ok()) << keys.status();
    ASSERT_EQ(keys->size(), 1u);
    ExpectRsaNumbers(keys->front(), key);
  }
}

// What OpenSSL's Montgomery context for p keeps beside p itself.
TEST_F(KeyMaterialTest, KnowsTheMontgomerySquare) {
  const TestKey key = NewRsaKey();
  BIGNUM* p = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_FACTOR1, &p), 1);
  BN_CTX* context = BN_CTX_new();
  BN_MONT_CTX* montgomery = BN_MONT_CTX_new();
  BIGNUM* one = BN_new();
  BN_one(one);
  ASSERT_EQ(BN_MONT_CTX_set(montgomery, p, context), 1);
  // 1 in Montgomery form is R mod p; once more, and it is R² mod p.
  BN_to_montgomery(one, one, montgomery, context);
  BN_to_montgomery(one, one, montgomery, context);
  std::string square(static_cast<size_t>(BN_num_bytes(one)), '\0');
  BN_bn2bin(one, reinterpret_cast<unsigned char*>(square.data()));
  EXPECT_EQ(Find(Load(Der(key))->front(), "rsa.p-rr"), square);
  BN_free(one);
  BN_free(p);
  BN_MONT_CTX_free(montgomery);
  BN_CTX_free(context);
}

TEST_F(KeyMaterialTest, DecryptsWithThePassphrase) {
  const TestKey key = NewRsaKey();
  for (const std::string& file :
       {Pkcs8Pem(key, EVP_aes_128_cbc()), TraditionalPem(key, EVP_aes_128_cbc()),
        Pkcs8Der(key, EVP_aes_256_cbc()), Pkcs12(key, "secret")}) {
    const auto keys = Load(file, right_);
    ASSERT_TRUE(keys.ok()) << keys.status();
    ExpectRsaNumbers(keys->front(), key);
    EXPECT_THAT(ErrorOf(file, wrong_), HasSubstr("key: the passphrase is wrong"));
    EXPECT_THAT(ErrorOf(file), HasSubstr("key: the private key is encrypted; give its pass"));
  }
}

TEST_F(KeyMaterialTest, LoadsOpenSshKeys) {
  for (const char* cipher : {"", "-Z aes256-ctr", "-Z aes256-cbc", "-Z aes256-gcm@openssh.com"}) {
    const std::string protection =
        *cipher == '\0' ? " -N \"\"" : std::string(" -N secret -a 2 ") + cipher;
    const std::string rsa = OpenSshKey("-t rsa -b 2048" + protection);
    auto keys = Load(rsa, right_);
    ASSERT_TRUE(keys.ok()) << keys.status();
    ExpectRsaNumbers(keys->front(), Converted(rsa));
    const std::string ec = OpenSshKey("-t ecdsa -b 384" + protection);
    keys = Load(ec, right_);
    ASSERT_TRUE(keys.ok()) << keys.status();
    EXPECT_EQ(Find(keys->front(), "ec.scalar"), Number(Converted(ec), OSSL_PKEY_PARAM_PRIV_KEY));
    if (*cipher == '\0') continue;
    for (const std::string& file : {rsa, ec}) {
      EXPECT_THAT(ErrorOf(file, wrong_), HasSubstr("key: the passphrase is wrong"));
      EXPECT_THAT(ErrorOf(file), HasSubstr("key: the private key is encrypted"));
    }
  }
}

// The public half is derived from the seed: it must be the one in the .pub file.
TEST_F(KeyMaterialTest, LoadsOpenSshEd25519) {
  for (const char* protection : {"-N \"\"", "-N secret -a 2"}) {
    const std::string file = OpenSshKey(std::string("-t ed25519 ") + protection);
    const auto keys = Load(file, right_);
    ASSERT_TRUE(keys.ok()) << keys.status();
    const std::string seed = Find(keys->front(), "ed25519.seed");
    const TestKey key(EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(seed.data()),
        seed.size()));
    ASSERT_NE(key, nullptr);
    std::string public_half(32, '\0');
    size_t bytes = public_half.size();
    EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(public_half.data()),
                                &bytes);
    std::string base64;
    std::stringstream words(ReadFile(directory_.path() + "/ssh.pub"));
    words >> base64 >> base64;
    std::string published;
    ASSERT_TRUE(absl::Base64Unescape(base64, &published));
    EXPECT_EQ(published.substr(published.size() - 32), public_half);
  }
}

TEST_F(KeyMaterialTest, NamesTheCipherItLacks) {
  const std::string file = OpenSshKey("-t ed25519 -N secret -Z chacha20-poly1305@openssh.com");
  EXPECT_THAT(ErrorOf(file, right_), HasSubstr("not encrypted with AES"));
}

TEST_F(KeyMaterialTest, LoadsEd25519) {
  const TestKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  for (const std::string& file : {Pkcs8Pem(key), Pkcs8Der(key)}) {
    const auto keys = Load(file);
    ASSERT_TRUE(keys.ok()) << keys.status();
    const std::string seed = Find(keys->front(), "ed25519.seed");
    std::string raw(32, '\0');
    size_t bytes = raw.size();
    EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &bytes);
    EXPECT_EQ(seed, raw);
    const std::string scalar = Find(keys->front(), "ed25519.scalar");
    // Clamped: bit 254 set, bit 255 and the lowest three clear. Big-endian here.
    EXPECT_EQ(scalar.front() & 0xc0, 0x40);
    EXPECT_EQ(scalar.back() & 7, 0);
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
  EXPECT_EQ(Text((*keys)[0].pem.front()) + "\n", first);
  EXPECT_EQ(Text((*keys)[1].pem.front()) + "\n", second);
}

// Whatever form the file has, programs may write the key as PEM.
TEST_F(KeyMaterialTest, KnowsThePemTextsOfADerKey) {
  const TestKey key = NewEcKey();
  const auto keys = Load(Der(key));
  ASSERT_TRUE(keys.ok());
  std::vector<std::string> texts;
  for (const SecretBytes& pem : keys->front().pem) texts.push_back(Text(pem));
  EXPECT_THAT(texts, ElementsAre(Pkcs8Pem(key), TraditionalPem(key)));
}

TEST_F(KeyMaterialTest, NamesTheTypeItDoesNotSupport) {
  const TestKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "SM2"));
  EXPECT_THAT(ErrorOf(Pkcs8Pem(key)), HasSubstr("SM2 keys are not supported"));
  EXPECT_THAT(ErrorOf("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
                      "-----END OPENSSH PRIVATE KEY-----\n"),
              HasSubstr("malformed OpenSSH key"));
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

TEST_F(KeyMaterialTest, ReadsHexadecimal) {
  EXPECT_EQ(Text(*LoadHex("0011 aAbB:CC\ndd 5566\n")),
            std::string("\0\x11\xaa\xbb\xcc\xdd\x55\x66", 8));
  EXPECT_FALSE(LoadHex("00112233445566").ok());
  EXPECT_FALSE(LoadHex("001122334455667").ok());
  EXPECT_FALSE(LoadHex("0x11223344556677").ok());
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
