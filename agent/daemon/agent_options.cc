// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/agent_options.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

// nullptr and relative values count as not set (XDG Base Directory Specification).
std::string AbsoluteFrom(const char* variable) {
  const char* const value = getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

}  // namespace

std::string DefaultRuntimeDir() {
  if (geteuid() == 0) return "/run/pagewarden";
  const std::string xdg = AbsoluteFrom("XDG_RUNTIME_DIR");
  return xdg.empty() ? absl::StrCat("/tmp/pagewarden-", geteuid())
                     : absl::StrCat(xdg, "/pagewarden");
}

std::string DefaultStateDir() {
  if (geteuid() == 0) return "/var/lib/pagewarden";
  const std::string xdg = AbsoluteFrom("XDG_STATE_HOME");
  if (!xdg.empty()) return absl::StrCat(xdg, "/pagewarden");
  const std::string home = AbsoluteFrom("HOME");
  return home.empty() ? absl::StrCat(DefaultRuntimeDir(), "/state")
                      : absl::StrCat(home, "/.local/state/pagewarden");
}

std::string SocketIn(const std::string& runtime_dir) {
  return absl::StrCat(runtime_dir, "/agent.sock");
}

}  // namespace pagewarden
