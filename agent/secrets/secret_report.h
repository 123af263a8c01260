// SPDX-License-Identifier: Apache-2.0
// What the last verification of the secrets that policies name has found. Holds no
// byte of a secret.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace pagewarden {

// Copies of one secret file in one process.
struct SecretCopies {
  std::string policy;
  std::string file;
  pid_t pid = 0;
  std::string comm;
  std::string cgroup;
  uint64_t fenced = 0;
  uint64_t unfenced = 0;
  std::vector<std::string> where;  // of the unfenced, at most 8: "rsa.p:limbs-le in [heap]"
};

struct SecretError {
  std::string policy;
  std::string file;  // empty: of a process
  std::string
      reason;  // stable words: "missing", "unreadable", "untrusted", "not_a_secret", "process"
  std::string text;
};

struct SecretReport {
  absl::Time checked = absl::InfinitePast();  // of the last complete check
  absl::Duration took;
  std::vector<SecretCopies> copies;  // processes in which one was found
  std::vector<SecretError> errors;
};

}  // namespace pagewarden
