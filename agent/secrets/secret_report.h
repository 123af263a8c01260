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
  uint64_t unfenced = 0;  // seen twice at the same place
  // Locked where they are, outside of arenas, under a policy with `pin`: they can be dumped,
  // not swapped. Neither fenced nor unfenced.
  uint64_t pinned = 0;
  std::vector<std::string> where;  // of the unfenced, at most 8: "rsa.p:limbs-le in [heap]"
};

// The reasons of errors that are made in more than one place, or acted upon.
inline constexpr char kSecretNotFound[] = "not_found";
inline constexpr char kSecretProcess[] = "process";
inline constexpr char kSecretUnlocked[] = "unlocked";

// What hinders a check, or makes its result worth less.
struct SecretError {
  std::string policy;
  std::string file;  // empty: of processes
  // Stable words: "missing", "unreadable", "untrusted", "not_a_secret", "encrypted" of files;
  // "not_found": no process holds what the file does (an older key?); "process": some could not
  // be searched; "unlocked": the agent has no locked memory to read secrets into.
  std::string reason;
  std::string text;  // one sentence
};

struct SecretReport {
  absl::Time checked = absl::InfinitePast();  // end of the last complete check
  absl::Duration took;
  bool nothing_to_check = false;     // no policy that names secrets selects a process now
  std::vector<SecretCopies> copies;  // of the processes in which one was found
  std::vector<SecretError> errors;
};

}  // namespace pagewarden
