// SPDX-License-Identifier: Apache-2.0
#include "agent/elf/elf_module.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/elf/elf_reader.h"

namespace pagewarden {
namespace {

constexpr uint64_t kMaxNoteBytes = 64 << 10;
constexpr size_t kMaxBuildIdBytes = 64;
constexpr uint64_t kMaxSymbols = kMaxElfTableBytes / sizeof(Elf64_Sym);

absl::Status Damaged(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("damaged ELF file: ", what));
}

uint64_t RoundUp(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

// The NT_GNU_BUILD_ID among the notes of one segment.
std::string FindBuildId(absl::string_view notes, uint64_t alignment) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    memcpy(&note, notes.data(), sizeof(note));
    notes.remove_prefix(sizeof(note));
    const uint64_t name_bytes = RoundUp(note.n_namesz, alignment);
    const uint64_t all_bytes = name_bytes + RoundUp(note.n_descsz, alignment);
    if (name_bytes > notes.size() || note.n_descsz > notes.size() - name_bytes) return "";
    const bool is_gnu = note.n_namesz == 4 && notes.substr(0, 4) == absl::string_view("GNU", 4);
    if (is_gnu && note.n_type == NT_GNU_BUILD_ID && note.n_descsz <= kMaxBuildIdBytes) {
      return std::string(notes.substr(name_bytes, note.n_descsz));
    }
    notes.remove_prefix(std::min<uint64_t>(all_bytes, notes.size()));
  }
  return "";
}

std::string ReadBuildId(const ElfReader& file) {
  for (const Elf64_Phdr& segment : file.segments()) {
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMaxNoteBytes) continue;
    const auto notes = file.ReadFile(segment.p_offset, segment.p_filesz);
    if (!notes.ok()) continue;
    std::string id = FindBuildId(*notes, segment.p_align == 8 ? 8 : 4);
    if (!id.empty()) return id;
  }
  return "";
}

// The dynamic section, read in order: its tables need each other.
class DynamicSection {
 public:
  DynamicSection(const ElfReader& file, ElfModule& module) : file_(file), module_(module) {}

  absl::Status Read(const Elf64_Phdr& segment) {
    auto bytes = file_.ReadFile(segment.p_offset, segment.p_filesz);
    if (!bytes.ok()) return Damaged("dynamic section");
    const ElfTable<Elf64_Dyn> entries(*std::move(bytes));
    for (size_t i = 0; i < entries.size() && entries[i].d_tag != DT_NULL; ++i) {
      Keep(entries[i]);
    }
    auto strings = file_.ReadAddress(Value(DT_STRTAB), Value(DT_STRSZ));
    if (!strings.ok()) return Damaged("string table");
    strings_ = *std::move(strings);
    ReadNames();
    if (absl::Status status = ReadRelocations(); !status.ok()) return status;
    return ReadSymbols();
  }

 private:
  void Keep(const Elf64_Dyn& entry) {
    if (entry.d_tag == DT_NEEDED) {
      needed_.push_back(entry.d_un.d_val);
    } else {
      values_.emplace(entry.d_tag, entry.d_un.d_val);
    }
  }

  uint64_t Value(int64_t tag) const {
    const auto found = values_.find(tag);
    return found == values_.end() ? 0 : found->second;
  }

  std::vector<std::string> Paths(int64_t tag) const {
    if (!values_.contains(tag)) return {};
    return absl::StrSplit(ElfText(strings_, Value(tag)), ':', absl::SkipEmpty());
  }

  void ReadNames() {
    for (const uint64_t offset : needed_) module_.needed.emplace_back(ElfText(strings_, offset));
    if (values_.contains(DT_SONAME))
      module_.soname = std::string(ElfText(strings_, Value(DT_SONAME)));
    module_.rpath = Paths(DT_RPATH);
    module_.runpath = Paths(DT_RUNPATH);
    module_.ignores_default_paths = (Value(DT_FLAGS_1) & DF_1_NODEFLIB) != 0;
  }

  absl::Status ReadRelocations() {
    for (const auto& [table, size] : {std::pair(DT_RELA, DT_RELASZ), {DT_JMPREL, DT_PLTRELSZ}}) {
      if (Value(size) == 0) continue;
      auto bytes = file_.ReadAddress(Value(table), Value(size));
      if (!bytes.ok()) return Damaged("relocations");
      const ElfTable<Elf64_Rela> relocations(*std::move(bytes));
      for (size_t i = 0; i < relocations.size(); ++i) KeepSlot(relocations[i].r_info);
    }
    return absl::OkStatus();
  }

  void KeepSlot(uint64_t info) {
    const uint64_t type = ELF64_R_TYPE(info);
    const uint64_t symbol = ELF64_R_SYM(info);
    if (symbol == 0) return;
    if (type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT || type == R_X86_64_64) {
      slot_symbols_.push_back(symbol);
    }
  }

  // How many symbols there are, the hash table alone tells: the last one of the
  // last chain. Those before its first are imports.
  uint64_t SymbolCountOfHash() const {
    const uint64_t hash = Value(DT_GNU_HASH);
    const auto header = hash == 0 ? absl::OutOfRangeError("") : file_.ReadAddress(hash, 16);
    if (!header.ok()) return SymbolCountOfOldHash();
    const ElfTable<uint32_t> head(*header);
    const uint64_t buckets_at = hash + 16 + uint64_t{head[2]} * sizeof(uint64_t);
    const uint64_t bucket_bytes = uint64_t{head[0]} * sizeof(uint32_t);
    const auto bytes = file_.ReadAddress(buckets_at, bucket_bytes);
    if (!bytes.ok()) return 0;
    const ElfTable<uint32_t> buckets(*bytes);
    uint64_t last = 0;
    for (size_t i = 0; i < buckets.size(); ++i) last = std::max<uint64_t>(last, buckets[i]);
    if (last < head[1]) return head[1];
    for (uint64_t chain = buckets_at + bucket_bytes; last < kMaxSymbols; ++last) {
      const auto link = file_.ReadAddress(chain + (last - head[1]) * sizeof(uint32_t), 4);
      if (!link.ok()) return 0;
      if ((ElfTable<uint32_t>(*link)[0] & 1) != 0) break;
    }
    return last + 1;
  }

  uint64_t SymbolCountOfOldHash() const {
    const auto header = file_.ReadAddress(Value(DT_HASH), 8);
    return values_.contains(DT_HASH) && header.ok() ? ElfTable<uint32_t>(*header)[1] : 0;
  }

  absl::Status ReadSymbols() {
    uint64_t count = SymbolCountOfHash();
    for (const uint64_t symbol : slot_symbols_) count = std::max(count, symbol + 1);
    if (count == 0) return absl::OkStatus();
    auto bytes = count > kMaxSymbols
                     ? absl::OutOfRangeError("")
                     : file_.ReadAddress(Value(DT_SYMTAB), count * sizeof(Elf64_Sym));
    if (!bytes.ok()) return Damaged("symbol table");
    const ElfTable<Elf64_Sym> symbols(*std::move(bytes));
    for (const uint64_t symbol : slot_symbols_) {
      module_.slots.emplace(ElfText(strings_, symbols[symbol].st_name));
    }
    for (size_t i = 1; i < symbols.size(); ++i) KeepExport(symbols[i]);
    return absl::OkStatus();
  }

  void KeepExport(const Elf64_Sym& symbol) {
    const int type = ELF64_ST_TYPE(symbol.st_info);
    const int binding = ELF64_ST_BIND(symbol.st_info);
    const int visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    if (symbol.st_shndx == SHN_UNDEF || binding == STB_LOCAL) return;
    if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) return;
    if (visibility != STV_DEFAULT && visibility != STV_PROTECTED) return;
    const absl::string_view name = ElfText(strings_, symbol.st_name);
    if (!name.empty()) module_.functions[name] = {symbol.st_value, symbol.st_size};
  }

  const ElfReader& file_;
  ElfModule& module_;
  absl::flat_hash_map<int64_t, uint64_t> values_;
  std::vector<uint64_t> needed_;
  std::vector<uint64_t> slot_symbols_;
  std::string strings_;
};

}  // namespace

absl::StatusOr<ElfModule> ReadElfModule(const std::string& path) {
  const auto file = ElfReader::Open(path);
  if (!file.ok()) return file.status();
  ElfModule module;
  module.build_id = ReadBuildId(*file);
  for (const Elf64_Phdr& segment : file->segments()) {
    if (segment.p_type == PT_INTERP) module.has_interpreter = true;
    if (segment.p_type != PT_DYNAMIC) continue;
    const absl::Status status = DynamicSection(*file, module).Read(segment);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
    }
  }
  return module;
}

}  // namespace pagewarden
