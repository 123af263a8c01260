// SPDX-License-Identifier: Apache-2.0
// The agent's side of a recording (recorder/recording.h).
//
//   auto recording = RecordingFile::Create(runtime, needles, recording::Mode::kRecord);
//   // run programs with recording->path() in their environment
//   for (const recording::Stack& stack : recording->Stacks()) …
//
// Programs write to it, and may have forged it: what is returned is copied and checked.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/policy/runtime_directory.h"
#include "agent/proof/needles.h"
#include "recorder/recording.h"

namespace pagewarden {

class RecordingFile {
 public:
  // Below `runtime`, under a name that cannot be guessed: programs open it as
  // the user they have become.
  static absl::StatusOr<std::unique_ptr<RecordingFile>> Create(const OwnedDirectory& runtime,
                                                               const NeedleSet& needles,
                                                               recording::Mode mode);
  RecordingFile(const RecordingFile&) = delete;
  RecordingFile& operator=(const RecordingFile&) = delete;
  ~RecordingFile();  // removes the file

  const std::string& path() const { return path_; }

  // The complete stacks, by their index; others are empty, with depth 0.
  std::vector<recording::Stack> Stacks() const;

  // By index, up to the first that is not complete.
  std::vector<recording::Module> Modules() const;

  // That of a living process; nullopt: it has none.
  std::optional<recording::Process> ProcessOf(pid_t pid) const;

  // Allocations whose stack did not fit the recording.
  uint64_t lost() const;

 private:
  RecordingFile(std::string path, char* base, uint64_t bytes)
      : path_(std::move(path)), base_(base), bytes_(bytes) {}

  std::string path_;
  char* base_;
  uint64_t bytes_;
};

}  // namespace pagewarden
