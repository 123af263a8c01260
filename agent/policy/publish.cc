// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/publish.h"

#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/policy/code_directory.h"
#include "agent/policy/image.h"
#include "agent/policy/scope_library.h"

namespace pagewarden {
namespace {

constexpr size_t kHashBytes = 16;  // of SHA-256: enough to never meet by chance

absl::StatusOr<std::string> ContentHash(const std::string& image, const std::string& scopes) {
  const std::string bytes = absl::StrCat(image.size(), ":", image, scopes);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int digest_bytes = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &digest_bytes, EVP_sha256(), nullptr) != 1 ||
      digest_bytes < kHashBytes) {
    return absl::InternalError("SHA-256 is not available");
  }
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), kHashBytes));
}

// Empty if there is nothing to interpose.
absl::StatusOr<std::string> BuildScopes(const std::vector<AllocationPolicy>& policies,
                                        const std::string& shim_path) {
  const std::vector<std::string> functions = FunctionTable(policies);
  if (functions.empty()) return std::string();
  return BuildScopeLibrary(functions, shim_path);
}

}  // namespace

absl::StatusOr<PublishedPolicy> PublishPolicies(const std::vector<AllocationPolicy>& policies,
                                                const std::string& shim_path,
                                                const OwnedDirectory& runtime) {
  absl::StatusOr<std::string> image = CompilePolicyImage(policies);
  if (!image.ok()) return image.status();
  if (absl::Status status = ValidatePolicyImage(*image); !status.ok()) return status;
  absl::StatusOr<std::string> scopes = BuildScopes(policies, shim_path);
  if (!scopes.ok()) return scopes.status();
  absl::StatusOr<std::string> hash = ContentHash(*image, *scopes);
  if (!hash.ok()) return hash.status();

  absl::StatusOr<OwnedDirectory> images = runtime.OpenChild("images");
  if (!images.ok()) return images.status();
  absl::StatusOr<OwnedDirectory> directory = images->OpenChild(*hash);
  if (!directory.ok()) return directory.status();
  if (absl::Status status = directory->WriteFile("policy.image", *image); !status.ok()) {
    return status;
  }
  PublishedPolicy published{absl::StrCat(directory->path(), "/policy.image"), ""};
  if (scopes->empty()) return published;
  const absl::StatusOr<OwnedDirectory> code = CodeDirectory(*directory, *hash);
  if (!code.ok()) return code.status();
  if (absl::Status status = code->WriteFile("scopes.so", *scopes); !status.ok()) return status;
  published.scopes_path = absl::StrCat(code->path(), "/scopes.so");
  return published;
}

}  // namespace pagewarden
