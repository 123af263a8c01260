// SPDX-License-Identifier: Apache-2.0
// Arithmetic on cgroup paths ("/", "/system.slice/nginx.service"), without a look at them.
#pragma once

#include "absl/strings/string_view.h"

namespace pagewarden {

// The cgroup above, a part of `path`; "/" above "/a". Empty: none is, or none can be told,
// as for "/" and for "/..": what is outside the reader's cgroup namespace starts so
// (cgroup_namespaces(7)).
absl::string_view ParentCgroup(absl::string_view path);

// True for "/a" and "/a/b" of "/a"; nothing outside the reader's namespace is below "/".
bool IsAtOrBelowCgroup(absl::string_view path, absl::string_view ancestor);

}  // namespace pagewarden
