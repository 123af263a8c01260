// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/pkcs12_file.h"

#include <openssl/err.h>

#include <utility>

#include "absl/status/status.h"

namespace pagewarden {
namespace {

class Keys {
 public:
  Keys(absl::string_view passphrase, std::vector<KeyPtr>& found)
      : passphrase_(passphrase), found_(found) {}

  void Add(const STACK_OF(PKCS12_SAFEBAG) * bags) {
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) Add(sk_PKCS12_SAFEBAG_value(bags, i));
  }

 private:
  void Add(const PKCS12_SAFEBAG* bag) {
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
      case NID_keyBag:
        return Add(PKCS12_SAFEBAG_get0_p8inf(bag));
      case NID_pkcs8ShroudedKeyBag: {
        const OpenSslPtr<PKCS8_PRIV_KEY_INFO> info(
            PKCS12_decrypt_skey(bag, passphrase_.data(), static_cast<int>(passphrase_.size())));
        return Add(info.get());
      }
      case NID_safeContentsBag:
        return Add(PKCS12_SAFEBAG_get0_safes(bag));
    }
  }

  void Add(const PKCS8_PRIV_KEY_INFO* info) {
    KeyPtr key(info == nullptr ? nullptr : EVP_PKCS82PKEY(info));
    if (key != nullptr) found_.push_back(std::move(key));
  }

  const absl::string_view passphrase_;
  std::vector<KeyPtr>& found_;
};

OpenSslPtr<STACK_OF(PKCS12_SAFEBAG)> Unpack(PKCS7* part, absl::string_view passphrase) {
  const int type = OBJ_obj2nid(part->type);
  if (type == NID_pkcs7_data) {
    return OpenSslPtr<STACK_OF(PKCS12_SAFEBAG)>(PKCS12_unpack_p7data(part));
  }
  if (type != NID_pkcs7_encrypted) return nullptr;
  return OpenSslPtr<STACK_OF(PKCS12_SAFEBAG)>(
      PKCS12_unpack_p7encdata(part, passphrase.data(), static_cast<int>(passphrase.size())));
}

}  // namespace

absl::StatusOr<std::optional<std::vector<KeyPtr>>> ParsePkcs12(ByteView bytes,
                                                               const Passphrase& given) {
  const unsigned char* data = bytes.data();
  const OpenSslPtr<PKCS12> file(d2i_PKCS12(nullptr, &data, static_cast<long>(bytes.size())));
  ERR_clear_error();
  if (file == nullptr) return std::nullopt;
  const absl::string_view passphrase = given.has_value() ? AsText(*given) : absl::string_view("");
  const bool verified =
      PKCS12_mac_present(file.get()) != 1 ||
      PKCS12_verify_mac(file.get(), passphrase.data(), static_cast<int>(passphrase.size())) == 1;
  ERR_clear_error();
  if (!verified) return given.has_value() ? PassphraseWrong() : PassphraseNeeded();
  std::vector<KeyPtr> keys;
  const OpenSslPtr<STACK_OF(PKCS7)> parts(PKCS12_unpack_authsafes(file.get()));
  for (int i = 0; i < sk_PKCS7_num(parts.get()); ++i) {
    const auto bags = Unpack(sk_PKCS7_value(parts.get(), i), passphrase);
    if (bags != nullptr) Keys(passphrase, keys).Add(bags.get());
  }
  ERR_clear_error();
  if (keys.empty()) {
    return absl::InvalidArgumentError("a PKCS #12 file without a private key that can be read");
  }
  return keys;
}

}  // namespace pagewarden
