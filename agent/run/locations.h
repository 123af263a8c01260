// SPDX-License-Identifier: Apache-2.0
// Where the parts of Pagewarden are, relative to its program: in an
// installation (PREFIX/bin/pagewarden) or in a build tree (agent/pagewarden).
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace pagewarden {

struct Locations {
  std::string shim;      // libpagewarden.so
  std::string policies;  // the shipped policies; presets/ is below
  std::string recorder;  // libpagewarden-recorder.so; empty: not there, which only `learn` minds
};

// NotFound names what is missing and where it was looked for.
// FailedPrecondition: the shim's path cannot be written into LD_PRELOAD.
absl::StatusOr<Locations> FindLocations(const std::string& program_path);

// Of the running program.
absl::StatusOr<Locations> FindLocations();

}  // namespace pagewarden
