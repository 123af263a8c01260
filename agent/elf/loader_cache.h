// SPDX-License-Identifier: Apache-2.0
// The dynamic loader's list of libraries, /etc/ld.so.cache (ldconfig(8); the
// layout is glibc's sysdeps/generic/dl-cache.h).
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// From soname to path: the libraries of this machine, without those for special
// processors. Damaged entries are left out; of a damaged file, all.
using LoaderCache = absl::flat_hash_map<std::string, std::string>;

LoaderCache ParseLoaderCache(absl::string_view bytes);

// Empty when there is no readable cache.
LoaderCache ReadLoaderCache(const std::string& path = "/etc/ld.so.cache");

}  // namespace pagewarden
