// SPDX-License-Identifier: Apache-2.0
#include "agent/elf/elf_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/base/files.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxSegments = 256;

bool IsHostFile(const Elf64_Ehdr& header) {
  return memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_machine == EM_X86_64;
}

}  // namespace

absl::StatusOr<ElfReader> ElfReader::Open(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (!fd.ok() || fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a regular file"));
  }
  ElfReader reader(std::move(fd), static_cast<uint64_t>(info.st_size));
  const absl::Status status = reader.ReadSegments();
  if (status.ok()) return reader;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
}

absl::Status ElfReader::ReadSegments() {
  const auto bytes = ReadFile(0, sizeof(Elf64_Ehdr));
  if (!bytes.ok()) return absl::InvalidArgumentError("not an ELF file");
  Elf64_Ehdr header;
  memcpy(&header, bytes->data(), sizeof(header));
  if (!IsHostFile(header)) return absl::InvalidArgumentError("not an ELF file of this machine");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxSegments) {
    return absl::InvalidArgumentError("bad program header table");
  }
  const auto table = ReadFile(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
  if (!table.ok()) return absl::InvalidArgumentError("truncated program header table");
  const ElfTable<Elf64_Phdr> segments(*table);
  for (size_t i = 0; i < segments.size(); ++i) segments_.push_back(segments[i]);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ElfReader::ReadFile(uint64_t offset, uint64_t bytes) const {
  if (bytes > kMaxElfTableBytes || offset > file_bytes_ || bytes > file_bytes_ - offset) {
    return absl::OutOfRangeError("part of the file is missing");
  }
  std::string buffer(bytes, '\0');
  const ssize_t got = pread(fd_.get(), buffer.data(), bytes, static_cast<off_t>(offset));
  if (got < 0 || static_cast<uint64_t>(got) != bytes) {
    return absl::OutOfRangeError("part of the file is missing");
  }
  return buffer;
}

absl::StatusOr<std::string> ElfReader::ReadAddress(uint64_t address, uint64_t bytes) const {
  for (const Elf64_Phdr& segment : segments_) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const uint64_t into = address - segment.p_vaddr;
    if (into > segment.p_filesz || bytes > segment.p_filesz - into) continue;
    if (segment.p_offset > file_bytes_) continue;
    return ReadFile(segment.p_offset + into, bytes);
  }
  return absl::OutOfRangeError("no segment holds this address");
}

absl::string_view ElfText(absl::string_view strings, uint64_t offset) {
  if (offset >= strings.size()) return "";
  const absl::string_view rest = strings.substr(offset);
  const size_t end = rest.find('\0');
  return end == absl::string_view::npos ? "" : rest.substr(0, end);
}

}  // namespace pagewarden
