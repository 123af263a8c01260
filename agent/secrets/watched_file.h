// SPDX-License-Identifier: Apache-2.0
// A secret file of a policy, read for one check.
//
//   const UniqueFd root(open("/proc/812/root", O_PATH | O_DIRECTORY));  // its file system
//   auto problem = AddSecretFile(root.get(), path, FileOwners({812}), needles);
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "agent/proof/needles.h"

namespace pagewarden {

struct SecretFileProblem {
  std::string reason;  // as SecretError's
  std::string text;
};

// Who may own the secret files of these processes: their users, and the root of each one's
// user namespace (in a pod with `hostUsers: false`, who owns what its volumes hold).
std::vector<uid_t> FileOwners(const std::vector<pid_t>& pids);

// Adds what the file holds: its private keys, or its one line of text; that as bytes too,
// where it spells at least 16 in hexadecimal. `path` is absolute and is looked up below `root`
// (a directory), which links do not leave; devices and pipes are not opened. Root, this program's
// user, or one of `owners` must own it, and nobody else may write to it: whoever can choose what is
// searched for could ask, guess by guess, what other processes hold.
std::optional<SecretFileProblem> AddSecretFile(int root, const std::string& path,
                                               const std::vector<uid_t>& owners,
                                               NeedleSet& needles);

}  // namespace pagewarden
