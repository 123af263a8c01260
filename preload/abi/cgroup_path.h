// SPDX-License-Identifier: Apache-2.0
// What selectors see in the path of a cgroup, for the shim and for the agent:
// "/system.slice/nginx.service" has a slice, a unit (a service or scope), and the
// cgroups "/" and "/system.slice" above it (systemd.unit(5), systemd.slice(5)).
//
// Each calls f(text, bytes) until it returns true, and returns whether one did.
#pragma once

#include <stddef.h>

namespace pagewarden {

template <typename F>
bool AnyPart(const char* path, F f) {
  while (*path != 0) {
    while (*path == '/') ++path;
    const char* end = path;
    while (*end != 0 && *end != '/') ++end;
    if (end != path && f(path, static_cast<size_t>(end - path))) return true;
    path = end;
  }
  return false;
}

// Of more than the suffix.
inline bool HasSuffix(const char* text, size_t bytes, const char* suffix) {
  size_t length = 0;
  while (suffix[length] != 0) ++length;
  if (bytes <= length) return false;
  for (size_t i = 0; i < length; ++i)
    if (text[bytes - length + i] != suffix[i]) return false;
  return true;
}

// The outermost first.
template <typename F>
bool AnyUnit(const char* path, F f) {
  return AnyPart(path, [&](const char* part, size_t bytes) {
    return (HasSuffix(part, bytes, ".service") || HasSuffix(part, bytes, ".scope")) &&
           f(part, bytes);
  });
}

template <typename F>
bool AnySlice(const char* path, F f) {
  return AnyPart(path, [&](const char* part, size_t bytes) {
    return HasSuffix(part, bytes, ".slice") && f(part, bytes);
  });
}

// "/a/b", "/a", "/".
template <typename F>
bool AnySelfOrAbove(const char* path, F f) {
  size_t bytes = 0;
  while (path[bytes] != 0) ++bytes;
  while (bytes > 0) {
    if (f(path, bytes)) return true;
    if (bytes == 1) return false;
    while (bytes > 0 && path[bytes - 1] != '/') --bytes;
    if (bytes > 1) --bytes;  // the slash, unless it is the root
  }
  return false;
}

}  // namespace pagewarden
