// SPDX-License-Identifier: Apache-2.0
// Reads parts of an ELF file by virtual address (elf(5)). The file is not
// trusted: it may be damaged, forged or cut short while it is read.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

inline constexpr uint64_t kMaxElfTableBytes = 64 << 20;

class ElfReader {
 public:
  // NotFound, PermissionDenied: as open(2) says. InvalidArgument: not an ELF
  // file of this machine, or one without valid program headers.
  static absl::StatusOr<ElfReader> Open(const std::string& path);

  const std::vector<Elf64_Phdr>& segments() const { return segments_; }

  // Bytes of the file. OutOfRange: not all of them exist, or more than
  // kMaxElfTableBytes.
  absl::StatusOr<std::string> ReadFile(uint64_t offset, uint64_t bytes) const;

  // The same by virtual address: of one segment, and only what the file has of it.
  absl::StatusOr<std::string> ReadAddress(uint64_t address, uint64_t bytes) const;

 private:
  ElfReader(UniqueFd fd, uint64_t file_bytes) : fd_(std::move(fd)), file_bytes_(file_bytes) {}
  absl::Status ReadSegments();

  UniqueFd fd_;
  uint64_t file_bytes_;
  std::vector<Elf64_Phdr> segments_;
};

// Records of a table that was read whole. A rest too short for one is left out.
template <typename Record>
class ElfTable {
 public:
  ElfTable() = default;
  explicit ElfTable(std::string bytes) : bytes_(std::move(bytes)) {}

  size_t size() const { return bytes_.size() / sizeof(Record); }
  Record operator[](size_t index) const {
    Record record;
    memcpy(&record, bytes_.data() + index * sizeof(Record), sizeof(Record));
    return record;
  }

 private:
  std::string bytes_;
};

// The text at `offset` of a string table; empty when it lies outside or has no end.
absl::string_view ElfText(absl::string_view strings, uint64_t offset);

}  // namespace pagewarden
