// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/snapshot.h"

#include "agent/audit/snapshot_reader.h"

namespace pagewarden {

absl::StatusOr<Snapshot> TakeSnapshot(const CgroupHierarchy* hierarchy,
                                      const SnapshotOptions& options) {
  auto reader = SnapshotReader::Open(hierarchy, options.source);
  if (!reader.ok()) return reader.status();
  return reader->Read(options);
}

}  // namespace pagewarden
