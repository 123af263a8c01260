// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/bcrypt_pbkdf.h"

#include <botan/ffi.h>
#include <dlfcn.h>

#include "absl/status/status.h"

namespace pagewarden {
namespace {

constexpr char kLibrary[] = "libbotan-2.so.19";
constexpr uint32_t kMaxRounds = 100'000;  // ssh-keygen -a: 16 by default; each takes milliseconds

decltype(&botan_pwdhash) FindPasswordHash() {
  // Never closed: it may have started threads or registered exit handlers.
  void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  return reinterpret_cast<decltype(&botan_pwdhash)>(dlsym(library, "botan_pwdhash"));
}

}  // namespace

absl::StatusOr<SecretBytes> BcryptPbkdf(ByteView passphrase, ByteView salt, uint32_t rounds,
                                        size_t bytes) {
  if (rounds == 0 || rounds > kMaxRounds) {
    return absl::InvalidArgumentError("an OpenSSH key with an impossible number of rounds");
  }
  const auto hash = FindPasswordHash();
  if (hash == nullptr) {
    return absl::UnimplementedError(
        "an encrypted OpenSSH key needs libbotan-2-19, which is not installed; convert a copy "
        "(ssh-keygen -p -m PEM -f COPY)");
  }
  SecretBytes derived(bytes);
  const int error = hash("Bcrypt-PBKDF", rounds, 0, 0, derived.data(), derived.size(),
                         AsText(passphrase).data(), passphrase.size(), salt.data(), salt.size());
  if (error != BOTAN_FFI_SUCCESS) return absl::InternalError("Botan's Bcrypt-PBKDF failed");
  return derived;
}

}  // namespace pagewarden
