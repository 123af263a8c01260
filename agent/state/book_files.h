// SPDX-License-Identifier: Apache-2.0
// The books on the disk: a file with all of them and a journal of what has changed since,
// each kept in its last but one form too. Checksums tell which of them can be used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/state/book_json.h"
#include "agent/state/segment_file.h"
#include "agent/state/state_directory.h"

namespace pagewarden {

struct LoadedBooks {
  StoredBooks stored;  // as of the file
  // What the journal says of policies: at least so much. The processes' part in it is as
  // of the file.
  std::map<std::string, PolicyBook> floors;
};

// Not thread-safe.
class BookFiles {
 public:
  explicit BookFiles(StateDirectory directory) : directory_(std::move(directory)) {}

  LoadedBooks Load(std::vector<std::string>& notes);

  // A line of the journal, not waited for; afterwards the journal's size.
  absl::Status Append(absl::string_view books);
  size_t journal_bytes() const { return journal_bytes_; }

  // All, waited for; the journal begins again.
  absl::Status Save(absl::string_view books);

 private:
  bool LoadFile(const std::string& name, LoadedBooks& loaded, std::vector<std::string>& notes);
  void LoadJournal(const std::string& name, uint64_t least_generation, bool is_current,
                   LoadedBooks& loaded, std::vector<std::string>& notes);

  StateDirectory directory_;
  uint64_t generation_ = 0;  // of the file; that of its journal is the same
  bool file_is_sound_ = false;
  std::optional<SegmentFile> journal_;
  uint64_t journal_bytes_ = 0;
};

// "pagewarden books 1 GENERATION CHECKSUM\nJSON\n". False: damaged.
bool ParseBookFile(absl::string_view text, uint64_t& generation, StoredBooks& stored);
std::string FormatBookFile(uint64_t generation, absl::string_view books);

// "pagewarden journal 1 GENERATION\n", then "CHECKSUM JSON\n" each. Returns how many bytes
// are sound; 0: not even the heading.
size_t ParseBookJournal(absl::string_view text, uint64_t& generation,
                        std::vector<absl::string_view>& lines);

}  // namespace pagewarden
