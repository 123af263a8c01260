// SPDX-License-Identifier: Apache-2.0
// The shim among the libraries that a loader is told to preload (ld.so(8)).
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

inline constexpr char kShimFileName[] = "libpagewarden.so";

// Its entry of a list like LD_PRELOAD's or /etc/ld.so.preload's; empty: it is not in there.
std::string PreloadedShim(absl::string_view list);

// Why the loader could not map `library`, of the file system below `root` ("/proc/12/root";
// empty: the own one). Empty: no reason found, or it is not a plain path.
std::string WhyNotMapped(const std::string& root, const std::string& library);

}  // namespace pagewarden
