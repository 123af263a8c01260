// SPDX-License-Identifier: Apache-2.0
// Where a scope library can be mapped as code.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/policy/runtime_directory.h"

namespace pagewarden {

inline constexpr char kCodeCache[] = "/var/cache/pagewarden";

// `beside` itself, unless its file system is mounted noexec, as Debian's initramfs mounts
// /run: ld.so(8) ignores a library there. For root, it is then kCodeCache/NAME. Where that
// cannot be had it is `beside` all the same, and the loader complains.
absl::StatusOr<OwnedDirectory> CodeDirectory(const OwnedDirectory& beside, const std::string& name);

}  // namespace pagewarden
