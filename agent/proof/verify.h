// SPDX-License-Identifier: Apache-2.0
// Where the copies of secrets are, and whether each is fenced.
//
//   VerifyResult result = Verify([&] { return Descendants({pid}); }, needles, {});
//   PrintTable(result, std::cout);
//   return ExitCode(result);
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/proc/mappings.h"
#include "agent/proof/copies.h"
#include "agent/proof/needles.h"
#include "agent/proof/places.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {

struct VerifiedProcess {
  pid_t pid = 0;
  std::string comm;
  std::optional<absl::Duration> stopped = std::nullopt;  // for how long; nullopt: it ran on
};

struct FoundCopy {
  pid_t pid = 0;
  uint64_t address = 0;
  uint64_t bytes = 0;
  std::string representation;  // "rsa.p:limbs-le", "pem-text", "text", …
  std::string secret;          // the file it was read from
  std::string mapping;         // as /proc/PID/maps names it, or "anon"
  bool locked = false;         // every byte is in locked mappings
  bool dumpable = true;        // some byte would be in a core dump
  bool fenced = false;         // locked, not dumpable, in an arena of an active shim
  std::string tag;             // "POLICY/ARENA", empty outside of arenas
  PlaceKind kind = PlaceKind::kAnonymous;
  std::optional<bool> stale;  // nothing owns these bytes any more; nullopt: unknown
};

struct VerifyResult {
  std::vector<VerifiedProcess> processes;  // those that were searched
  std::vector<FoundCopy> copies;           // by process, then address
  std::vector<std::string> unreadable;     // what could not be searched, and why
  std::vector<std::string> warnings;
};

// Reads the mappings' flags and the shim's arenas around a copy.
FoundCopy Attribute(pid_t pid, const Copy& copy, const NeedleSet& needles,
                    const std::vector<Mapping>& mappings, const std::optional<ShimState>& shim);

struct SearchOptions {
  bool live = false;         // let the processes run while they are searched
  std::vector<pid_t> named;  // asked for one by one: if one exits meanwhile, data are missing
};

using ProcessList = std::function<absl::StatusOr<std::vector<pid_t>>()>;

// Searches the listed processes, and those that a repeated listing adds
// meanwhile (workers forked during the search). All are stopped before the first
// is read, so that no secret passes from one that is still to be searched to one
// that was; each runs again as soon as it was read. One that cannot be stopped
// is searched while it runs, with a warning. This process is left out, and so is
// what has exited before it could be searched. An error of the first listing is
// returned.
absl::StatusOr<VerifyResult> Verify(const ProcessList& list, const NeedleSet& needles,
                                    const SearchOptions& options = {});

}  // namespace pagewarden
