// SPDX-License-Identifier: Apache-2.0
#include "agent/run/elf_summary.h"

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxSegments = 128;
constexpr size_t kMaxNoteBytes = 65536;
constexpr size_t kMaxInterpreterBytes = 4096;  // the kernel's own bound: PATH_MAX

#if defined(__x86_64__)
constexpr uint16_t kHostMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kHostMachine = EM_AARCH64;
#else
#error "unknown machine"
#endif
constexpr unsigned char kHostClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

bool ReadExactly(int fd, void* buffer, size_t bytes, uint64_t offset) {
  if (offset > INT64_MAX) return false;
  const ssize_t got = pread(fd, buffer, bytes, static_cast<off_t>(offset));
  return got >= 0 && static_cast<size_t>(got) == bytes;
}

uint64_t Padded(uint64_t bytes) { return (bytes + 3) & ~uint64_t{3}; }

// Whether one of the notes in `bytes` is owned by "Go".
bool HasGoNote(const std::vector<char>& bytes) {
  uint64_t offset = 0;
  while (bytes.size() - offset >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    memcpy(&note, bytes.data() + offset, sizeof(note));
    offset += sizeof(note);
    const uint64_t body = Padded(note.n_namesz) + Padded(note.n_descsz);
    if (body > bytes.size() - offset) return false;
    if (note.n_namesz >= 3 && memcmp(bytes.data() + offset, "Go", 3) == 0) return true;
    offset += body;
  }
  return false;
}

bool HasGoNote(int fd, const ElfW(Phdr) & segment) {
  if (segment.p_filesz > kMaxNoteBytes) return false;
  std::vector<char> bytes(segment.p_filesz);
  return ReadExactly(fd, bytes.data(), bytes.size(), segment.p_offset) && HasGoNote(bytes);
}

// Up to its NUL; empty: too long, or truncated.
std::string InterpreterOf(int fd, const ElfW(Phdr) & segment) {
  if (segment.p_filesz > kMaxInterpreterBytes) return "";
  std::string path(segment.p_filesz, '\0');
  if (!ReadExactly(fd, path.data(), path.size(), segment.p_offset)) return "";
  return path.substr(0, path.find('\0'));
}

absl::Status Invalid(const char* why) { return absl::InvalidArgumentError(why); }

absl::Status ReadSegments(int fd, ElfSummary& summary) {
  ElfW(Ehdr) header;
  if (!ReadExactly(fd, &header, sizeof(header), 0)) return Invalid("truncated ELF header");
  summary.is_host_machine = header.e_machine == kHostMachine;
  if (!summary.is_host_machine) return absl::OkStatus();
  if (header.e_phentsize != sizeof(ElfW(Phdr)) || header.e_phnum > kMaxSegments) {
    return Invalid("bad program header table");
  }
  for (size_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    if (header.e_phoff > INT64_MAX ||
        !ReadExactly(fd, &segment, sizeof(segment), header.e_phoff + i * sizeof(segment))) {
      return Invalid("truncated program header table");
    }
    if (segment.p_type == PT_INTERP) {
      summary.has_interpreter = true;
      summary.interpreter = InterpreterOf(fd, segment);
    }
    if (segment.p_type == PT_NOTE && HasGoNote(fd, segment)) summary.is_go = true;
  }
  return absl::OkStatus();
}

}  // namespace

bool IsSupportedLoader(const std::string& interpreter) {
  absl::string_view name = interpreter;
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  return absl::StartsWith(name, "ld-linux") || absl::StartsWith(name, "ld-musl-");
}

absl::StatusOr<ElfSummary> ReadElfSummary(int fd) {
  unsigned char ident[EI_NIDENT];
  if (!ReadExactly(fd, ident, sizeof(ident), 0) || memcmp(ident, ELFMAG, SELFMAG) != 0) {
    return Invalid("not an ELF file");
  }
  ElfSummary summary;
  summary.is_64_bit = ident[EI_CLASS] == ELFCLASS64;
  // Hosts of all supported machines are little-endian.
  if (ident[EI_CLASS] != kHostClass || ident[EI_DATA] != ELFDATA2LSB) return summary;
  if (absl::Status status = ReadSegments(fd, summary); !status.ok()) return status;
  return summary;
}

}  // namespace pagewarden
