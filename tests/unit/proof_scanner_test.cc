// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/sha.h>

#include <random>

#include "absl/strings/escaping.h"
#include "agent/proof/copies.h"
#include "agent/proof/needles.h"
#include "agent/proof/scanner.h"
#include "tests/unit/proof_keys.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kAddress = 0x7f0000001000;

std::string Noise(size_t bytes) {
  std::mt19937 random(42);
  std::string noise(bytes, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  return noise;
}

NeedleSet TextNeedle(const std::string& text) {
  NeedleSet needles;
  needles.AddText(AsBytes(text));
  return needles;
}

NeedleSet KeyNeedles(const std::string& file) {
  TempDirectory directory;
  auto needles = LoadNeedles({directory.Write("key", file)}, {});
  return needles.ok() ? *std::move(needles) : NeedleSet();
}

std::vector<Copy> Find(const NeedleSet& needles, const std::string& memory) {
  std::vector<Fragment> fragments;
  Scanner(needles).Scan(AsBytes(memory), kAddress, fragments);
  return MergeFragments(needles, std::move(fragments));
}

std::vector<std::string> Representations(const NeedleSet& needles, const std::string& memory) {
  std::vector<std::string> names;
  for (const Copy& copy : Find(needles, memory)) {
    names.push_back(needles[copy.needle].representation);
  }
  return names;
}

class RsaScanTest : public ::testing::Test {
 protected:
  // p's bytes [offset, offset + bytes) and none of its others beside them.
  std::string LoneRun(size_t offset, size_t bytes) const {
    std::string run = p_.substr(offset, bytes);
    if (offset > 0) run.insert(0, 1, static_cast<char>(~p_[offset - 1]));
    if (offset + bytes < p_.size()) run += static_cast<char>(~p_[offset + bytes]);
    return run;
  }

  const TestKey key_ = NewRsaKey();
  const std::string pem_ = Pkcs8Pem(key_);
  const NeedleSet needles_ = KeyNeedles(pem_);
  const std::string p_ = Number(key_, OSSL_PKEY_PARAM_RSA_FACTOR1);
};

TEST_F(RsaScanTest, FindsEveryAlignmentAndLength) {
  const std::string noise = Noise(400);
  for (size_t at = 0; at < 24; ++at) {
    for (const size_t bytes : {16u, 17u, 31u, 128u}) {
      std::string memory = noise;
      memory.replace(at, bytes, p_, 0, bytes);
      memory[at + bytes] = static_cast<char>(~p_[bytes % p_.size()]);
      const auto copies = Find(needles_, memory);
      ASSERT_EQ(copies.size(), 1u) << at << " " << bytes;
      EXPECT_EQ(copies[0].address, kAddress + at);
      EXPECT_EQ(copies[0].bytes, bytes);
      EXPECT_EQ(copies[0].end, kAddress + at + bytes);
      EXPECT_EQ(needles_[copies[0].needle].representation, "rsa.p:bytes-be");
    }
  }
}

TEST_F(RsaScanTest, FindsEveryOffsetInTheNumber) {
  for (size_t offset = 0; offset + 16 <= p_.size(); ++offset) {
    const auto copies = Find(needles_, LoneRun(offset, 16));
    ASSERT_EQ(copies.size(), 1u) << offset;
    EXPECT_EQ(copies[0].bytes, 16u);
  }
}

TEST_F(RsaScanTest, FifteenBytesAreNoCopy) {
  for (size_t offset = 0; offset + 15 <= p_.size(); ++offset) {
    EXPECT_THAT(Find(needles_, LoneRun(offset, 15)), IsEmpty()) << offset;
  }
}

TEST_F(RsaScanTest, FindsFreedCopyWithoutItsFirstBytes) {
  std::string memory = p_;
  for (size_t i = 0; i < 8; ++i) memory[i] = static_cast<char>(~memory[i]);
  const auto copies = Find(needles_, memory);
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].address, kAddress + 8);
  EXPECT_EQ(copies[0].bytes, p_.size() - 8);
}

TEST_F(RsaScanTest, JoinsTheRunsOfOneBase) {
  std::string memory = p_;
  memory[50] = static_cast<char>(~memory[50]);
  const auto copies = Find(needles_, memory);
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].bytes, p_.size() - 1);
  EXPECT_EQ(copies[0].end, kAddress + p_.size());
}

TEST_F(RsaScanTest, CountsNeighboursApart) {
  const auto copies = Find(needles_, p_ + p_ + "####" + p_);
  ASSERT_EQ(copies.size(), 3u);
  EXPECT_EQ(copies[1].address, kAddress + p_.size());
}

TEST_F(RsaScanTest, NamesLimbsAndEveryNumberOfDer) {
  EXPECT_THAT(Representations(needles_, Noise(13) + Limbs(p_)), ElementsAre("rsa.p:limbs-le"));
  EXPECT_THAT(Representations(needles_, Der(key_)),
              ElementsAre("rsa.d:bytes-be", "rsa.p:bytes-be", "rsa.q:bytes-be", "rsa.dmp1:bytes-be",
                          "rsa.dmq1:bytes-be", "rsa.iqmp:bytes-be"));
}

TEST_F(RsaScanTest, PublicPartsAndOtherKeysAreNoCopies) {
  const TestKey other = NewRsaKey();
  const std::string modulus = Number(key_, OSSL_PKEY_PARAM_RSA_N);
  for (const std::string& decoy : {modulus, Limbs(modulus), PublicPem(key_), Pkcs8Pem(other),
                                   Der(other), Noise(1 << 20), std::string(1 << 20, '\0')}) {
    EXPECT_THAT(Find(needles_, decoy), IsEmpty());
  }
}

TEST_F(RsaScanTest, BufferBordersHideNothing) {
  for (size_t border = 1; border < p_.size() + 40; ++border) {
    const std::string memory = Noise(20) + p_ + Noise(20);
    const size_t kept = std::min(border, Scanner::kOverlap);
    const Scanner scanner(needles_);
    std::vector<Fragment> fragments;
    scanner.Scan(AsBytes(memory).subspan(0, border), kAddress, fragments);
    scanner.Scan(AsBytes(memory).subspan(border - kept), kAddress + border - kept, fragments);
    const auto copies = MergeFragments(needles_, fragments);
    ASSERT_EQ(copies.size(), 1u) << border;
    EXPECT_EQ(copies[0].address, kAddress + 20);
    EXPECT_EQ(copies[0].bytes, p_.size()) << border;
  }
}

class PemScanTest : public ::testing::TestWithParam<const char*> {};

std::string Encode(const std::string& encoding) {
  if (encoding == "rsa-pkcs8") return Pkcs8Pem(NewRsaKey());
  if (encoding == "rsa-traditional") return TraditionalPem(NewRsaKey());
  return encoding == "ec-pkcs8" ? Pkcs8Pem(NewEcKey()) : TraditionalPem(NewEcKey());
}

std::string WithLineEnds(const std::string& text, const std::string& line_end) {
  std::string result;
  for (const char c : text) result += c == '\n' ? line_end : std::string(1, c);
  return result;
}

TEST_P(PemScanTest, OneTextIsOneCopyWhateverItsLineEnds) {
  const std::string pem = Encode(GetParam());
  const NeedleSet needles = KeyNeedles(pem);
  for (const char* line_end : {"\n", "\r\n", ""}) {
    const std::string text = WithLineEnds(pem, line_end);
    EXPECT_THAT(Representations(needles, text), ElementsAre("pem-text")) << line_end;
    EXPECT_THAT(Representations(needles, text + "\n" + text), ElementsAre("pem-text", "pem-text"));
  }
}

INSTANTIATE_TEST_SUITE_P(Encodings, PemScanTest,
                         ::testing::Values("rsa-pkcs8", "rsa-traditional", "ec-pkcs8", "ec-sec1"));

// What two keys' PEM have in common, and what the public half of this one
// encodes to at each of the three base64 phases, says nothing about the secret.
TEST(PemTest, PublicHalfOfAnRsaKeyIsNoCopy) {
  const TestKey key = NewRsaKey();
  const std::string pem = TraditionalPem(key);
  const NeedleSet needles = KeyNeedles(pem);
  const std::string der = Der(key);
  const size_t d = der.find(Number(key, OSSL_PKEY_PARAM_RSA_D));
  ASSERT_NE(d, std::string::npos);
  const size_t first_private = d * 8 / 6;  // among the base64 characters
  const size_t body = pem.find('\n') + 1;
  const size_t lines = first_private / 64;
  const std::string head = pem.substr(0, body + first_private + lines);
  EXPECT_THAT(Find(needles, head), IsEmpty());
  const std::string more = pem.substr(0, body + first_private + lines + 40);
  EXPECT_EQ(Find(needles, more).size(), 1u);
}

TEST(PemTest, PublicHalfOfAnEcKeyIsNoCopy) {
  const TestKey key = NewEcKey();
  const std::string pem = TraditionalPem(key);
  const std::string body = pem.substr(pem.find('\n') + 1);
  // SEC 1: 7 bytes of header, the scalar, then curve and public point.
  const size_t after_scalar = (7 + 32) * 8 / 6 + 1;
  EXPECT_THAT(Find(KeyNeedles(pem), body.substr(after_scalar)), IsEmpty());
  EXPECT_THAT(Find(KeyNeedles(pem), pem.substr(0, pem.find('\n') + 1 + 9)), IsEmpty());
  EXPECT_EQ(Find(KeyNeedles(pem), body.substr(0, after_scalar)).size(), 1u);
}

TEST(PemTest, LostLineLeavesOneCopy) {
  const std::string pem = Pkcs8Pem(NewRsaKey());
  const NeedleSet needles = KeyNeedles(pem);
  std::string damaged = pem;
  damaged.replace(pem.size() / 2, 70, 70, '#');
  EXPECT_THAT(Representations(needles, damaged), ElementsAre("pem-text"));
}

TEST(PemTest, LoneLineIsACopy) {
  const std::string pem = Pkcs8Pem(NewRsaKey());
  const std::string line = pem.substr(pem.size() - 400, 40);
  EXPECT_THAT(Representations(KeyNeedles(pem), line), ElementsAre("pem-text"));
}

TEST(EcScanTest, FindsScalarOfEveryCurve) {
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    const TestKey key = NewEcKey(curve);
    const std::string scalar = Number(key, OSSL_PKEY_PARAM_PRIV_KEY);
    const NeedleSet needles = KeyNeedles(Pkcs8Pem(key));
    EXPECT_THAT(Representations(needles, scalar + "---" + Limbs(scalar)),
                UnorderedElementsAre("ec.scalar:bytes-be", "ec.scalar:limbs-le"));
    EXPECT_THAT(Representations(needles, Der(key)), ElementsAre("ec.scalar:bytes-be"));
  }
}

TEST(TextScanTest, FindsEightBytesAtEveryAlignment) {
  const std::string text = "correct-horse";
  const NeedleSet needles = TextNeedle(text);
  for (size_t at = 0; at < 12; ++at) {
    for (size_t offset = 0; offset + 8 <= text.size(); ++offset) {
      const std::string memory = std::string(at, '#') + text.substr(offset, 8) + "####";
      const auto copies = Find(needles, memory);
      ASSERT_EQ(copies.size(), 1u) << at << " " << offset;
      EXPECT_EQ(copies[0].bytes, 8u);
      EXPECT_EQ(copies[0].address, kAddress + at);
    }
    EXPECT_THAT(Find(needles, std::string(at, '#') + text.substr(2, 7) + "####"), IsEmpty());
  }
}

TEST(TextScanTest, ShortestTextIsFoundWhole) {
  const NeedleSet needles = TextNeedle("hunter22");
  EXPECT_EQ(Find(needles, "user=x&pass=hunter22&y=hunter21").size(), 1u);
}

std::string WideText(const std::string& text) {
  std::string wide;
  for (const char c : text) wide += {c, '\0'};
  return wide;
}

TEST(TextScanTest, FindsEveryForm) {
  const std::string text = "pa\"ss+/wor d\\?\xff";
  const NeedleSet needles = TextNeedle(text);
  const std::pair<const char*, std::string> forms[] = {
      {"text", "pass=" + text + ";"},
      {"json", "{\"pass\":\"pa\\\"ss+/wor d\\\\?\xff\"}"},
      {"url", "/?pass=pa%22ss%2B%2Fwor%20d%5C%3F%FF&x=1"},
      {"utf16-le", "####" + WideText(text)}};
  for (const auto& [name, memory] : forms) {
    EXPECT_THAT(Representations(needles, memory), ElementsAre(name)) << memory;
  }
}

// RFC 7617: base64 of user:password, for users of any length.
TEST(TextScanTest, FindsBase64AtEveryPhase) {
  const std::string text = "correct-horse~?";
  const NeedleSet needles = TextNeedle(text);
  for (const char* user : {"", "a", "al", "alice"}) {
    const std::string pair = std::string(user) + ":" + text;
    const std::string standard = absl::Base64Escape(pair);
    EXPECT_THAT(Representations(needles, "Basic " + standard), ElementsAre("base64")) << user;
    const std::string web = absl::WebSafeBase64Escape(pair);
    const char* const name = standard.substr(0, web.size()) == web ? "base64" : "base64-url";
    EXPECT_THAT(Representations(needles, web + "."), ElementsAre(name)) << user;
    // The first and the last character also encode a neighbour.
    const auto copies = Find(needles, absl::Base64Escape(pair + "&tail"));
    ASSERT_EQ(copies.size(), 1u);
    EXPECT_GE(copies[0].bytes, text.size() * 8 / 6 - 1);
  }
}

TEST(TextScanTest, NineCharactersOfBase64AreNoCopy) {
  const NeedleSet needles = TextNeedle("correct-horse-battery");
  const std::string encoded = absl::Base64Escape("correct-horse-battery");
  for (size_t at = 0; at + 9 <= encoded.size(); ++at) {
    EXPECT_THAT(Find(needles, encoded.substr(at, 9)), IsEmpty()) << at;
    if (at + 12 > encoded.size()) continue;
    EXPECT_EQ(Find(needles, encoded.substr(at, 12)).size(), 1u) << at;
  }
}

TEST(TextScanTest, Utf16OfMoreThanAscii) {
  // U+00E9, U+20AC, U+1F511
  const NeedleSet needles = TextNeedle("pass\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91");
  const std::string wide("p\0a\0s\0s\0\xe9\0\xac\x20\x3d\xd8\x11\xdd", 16);
  EXPECT_THAT(Representations(needles, wide), ElementsAre("utf16-le"));
}

TEST(RawScanTest, FindsBytesAndDigitsOfEitherCase) {
  const std::string secret = Noise(32);
  NeedleSet needles;
  needles.AddRaw(AsBytes(secret));
  std::string digits = absl::BytesToHexString(secret);
  EXPECT_THAT(Representations(needles, "x" + secret), ElementsAre("bytes"));
  EXPECT_THAT(Representations(needles, digits), ElementsAre("hex"));
  std::transform(digits.begin(), digits.end(), digits.begin(), toupper);
  EXPECT_THAT(Representations(needles, digits), ElementsAre("hex-upper"));
  EXPECT_THAT(Representations(needles, absl::Base64Escape("k=" + secret)), ElementsAre("base64"));
  EXPECT_THAT(Find(needles, secret.substr(3, 15)), IsEmpty());
  EXPECT_EQ(Find(needles, secret.substr(3, 16)).size(), 1u);
}

TEST(Ed25519ScanTest, FindsSeedAndScalarButNotThePublicHalf) {
  const TestKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  std::string seed(32, '\0');
  std::string public_half(32, '\0');
  size_t bytes = 32;
  EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(seed.data()), &bytes);
  EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(public_half.data()),
                              &bytes);
  std::string expanded(64, '\0');
  SHA512(reinterpret_cast<const unsigned char*>(seed.data()), seed.size(),
         reinterpret_cast<unsigned char*>(expanded.data()));
  const std::string pem = Pkcs8Pem(key);
  const NeedleSet needles = KeyNeedles(pem);
  EXPECT_THAT(Representations(needles, seed + public_half), ElementsAre("ed25519.seed:bytes-be"));
  EXPECT_THAT(Representations(needles, expanded), ElementsAre("ed25519.scalar:limbs-le"));
  EXPECT_THAT(Representations(needles, pem), ElementsAre("pem-text"));
  EXPECT_THAT(Find(needles, public_half + PublicPem(key)), IsEmpty());
}

TEST(RsaFormsTest, PemTextOfAnotherContainerIsACopyToo) {
  const TestKey key = NewRsaKey();
  for (const std::string& file : {Der(key), Pkcs8Pem(key), TraditionalPem(key)}) {
    const NeedleSet needles = KeyNeedles(file);
    EXPECT_THAT(Representations(needles, Pkcs8Pem(key)), ElementsAre("pem-text"));
    EXPECT_THAT(Representations(needles, TraditionalPem(key)), ElementsAre("pem-text"));
  }
}

TEST(ContainedTest, OnlyFormsOfOneSecretAreJoined) {
  NeedleSet needles;
  needles.AddText(AsBytes("correct-horse"));
  needles.AddText(AsBytes("a-correct-horse-too"));
  EXPECT_THAT(Representations(needles, "a-correct-horse-too"), ElementsAre("text", "text"));
}

TEST(NeedlesTest, SameKeyTwiceIsSearchedOnce) {
  TempDirectory directory;
  const TestKey key = NewRsaKey();
  const std::string pem = directory.Write("pem", Pkcs8Pem(key));
  const std::string der = directory.Write("der", Der(key));
  EXPECT_EQ(LoadNeedles({pem}, {})->size(), LoadNeedles({pem, der, pem}, {})->size());
}

}  // namespace
}  // namespace pagewarden
