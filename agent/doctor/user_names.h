// SPDX-License-Identifier: Apache-2.0
// Names of users and groups, from the name service of the running system.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pagewarden {

// The number where there is no name.
std::string UserName(uid_t uid);

// Of the groups a user is in, its own first; empty: no such user.
std::vector<std::string> GroupNames(uid_t uid);

}  // namespace pagewarden
