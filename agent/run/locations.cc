// SPDX-License-Identifier: Apache-2.0
#include "agent/run/locations.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/run/build_paths.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

// The first of the candidates, relative to `directory`, that exists.
absl::StatusOr<std::string> FirstExisting(const fs::path& directory,
                                          const std::vector<std::string>& candidates) {
  std::string looked_for;
  for (const std::string& candidate : candidates) {
    const fs::path path = (directory / candidate).lexically_normal();
    std::error_code error;
    if (fs::exists(path, error)) return path.string();
    absl::StrAppend(&looked_for, looked_for.empty() ? "" : ", ", path.string());
  }
  return absl::NotFoundError(absl::StrCat("not found: ", looked_for));
}

}  // namespace

absl::StatusOr<Locations> FindLocations(const std::string& program_path) {
  const fs::path directory = fs::path(program_path).parent_path();
  absl::StatusOr<std::string> shim = FirstExisting(
      directory, {"../" PAGEWARDEN_LIBDIR "/libpagewarden.so", "../preload/libpagewarden.so"});
  if (!shim.ok()) return shim.status();
  if (shim->find_first_of(": \t\n") != std::string::npos) {
    return absl::FailedPreconditionError(absl::StrCat(
        *shim, ": LD_PRELOAD cannot hold a path with spaces or colons; install it elsewhere"));
  }
  absl::StatusOr<std::string> policies =
      FirstExisting(directory, {"../" PAGEWARDEN_DATADIR "/pagewarden/policies", "../policies"});
  if (!policies.ok()) return policies.status();
  const absl::StatusOr<std::string> recorder =
      FirstExisting(directory, {"../" PAGEWARDEN_LIBDIR "/libpagewarden-recorder.so",
                                "../recorder/libpagewarden-recorder.so"});
  return Locations{*shim, *policies, recorder.value_or("")};
}

absl::StatusOr<Locations> FindLocations() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return absl::UnknownError(absl::StrCat("/proc/self/exe: ", error.message()));
  return FindLocations(program.string());
}

}  // namespace pagewarden
