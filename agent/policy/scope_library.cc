// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/scope_library.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "preload/abi/scope_library.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPage = 4096;

// endbr64; lea slot(%rip), %r11; jmp *(%r11)
constexpr uint64_t kTrampolineBytes = 16;
constexpr unsigned char kTrampoline[kTrampolineBytes] = {
    0xf3, 0x0f, 0x1e, 0xfa, 0x4c, 0x8d, 0x1d, 0, 0, 0, 0, 0x41, 0xff, 0x23, 0xcc, 0xcc};
constexpr uint64_t kLeaOperand = 7;  // its offset in the trampoline
constexpr uint64_t kLeaEnd = 11;     // what the operand is relative to

// "This object keeps IBT and SHSTK": without it glibc would switch both off.
constexpr uint32_t kPropertyNote[] = {
    4,
    16,
    NT_GNU_PROPERTY_TYPE_0,
    0x00554e47 /* "GNU" */,
    GNU_PROPERTY_X86_FEATURE_1_AND,
    4,
    GNU_PROPERTY_X86_FEATURE_1_IBT | GNU_PROPERTY_X86_FEATURE_1_SHSTK,
    0};

template <typename T>
uint64_t Append(std::string& image, const T* records, size_t count) {
  image.resize((image.size() + 7) / 8 * 8);
  const uint64_t at = image.size();
  image.append(reinterpret_cast<const char*>(records), count * sizeof(T));
  return at;
}

uint32_t GnuHash(absl::string_view name) {
  uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
  return hash;
}

struct Strings {
  std::string bytes = std::string(1, '\0');
  uint32_t Add(absl::string_view text) {
    const auto at = static_cast<uint32_t>(bytes.size());
    absl::StrAppend(&bytes, text);
    bytes.push_back('\0');
    return at;
  }
};

struct Export {
  std::string name;
  Elf64_Sym symbol;
};

// DT_GNU_HASH wants the exports in the order of their buckets.
std::vector<uint32_t> HashExports(std::vector<Export>& exports, uint32_t first_symbol) {
  const auto buckets = static_cast<uint32_t>(exports.size() / 2 + 1);
  constexpr uint32_t kBloomShift = 6;
  uint32_t bloom_words = 1;  // glibc insists on a power of two
  while (uint64_t{bloom_words} * 8 < exports.size()) bloom_words *= 2;
  std::stable_sort(exports.begin(), exports.end(), [&](const Export& a, const Export& b) {
    return GnuHash(a.name) % buckets < GnuHash(b.name) % buckets;
  });
  std::vector<uint64_t> bloom(bloom_words);
  std::vector<uint32_t> bucket(buckets), chain;
  for (size_t i = 0; i < exports.size(); ++i) {
    const uint32_t hash = GnuHash(exports[i].name);
    bloom[hash / 64 % bloom_words] |=
        (uint64_t{1} << (hash % 64)) | (uint64_t{1} << ((hash >> kBloomShift) % 64));
    const bool last =
        i + 1 == exports.size() || GnuHash(exports[i + 1].name) % buckets != hash % buckets;
    chain.push_back((hash & ~1u) | (last ? 1 : 0));
    if (bucket[hash % buckets] == 0)
      bucket[hash % buckets] = first_symbol + static_cast<uint32_t>(i);
  }
  std::vector<uint32_t> table = {buckets, first_symbol, bloom_words, kBloomShift};
  for (const uint64_t word : bloom) {
    table.push_back(static_cast<uint32_t>(word));
    table.push_back(static_cast<uint32_t>(word >> 32));
  }
  table.insert(table.end(), bucket.begin(), bucket.end());
  table.insert(table.end(), chain.begin(), chain.end());
  return table;
}

bool IsIdentifier(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

absl::Status Check(const std::vector<std::string>& functions, absl::string_view shim_path) {
  if (shim_path.empty() || shim_path[0] != '/')
    return absl::InvalidArgumentError("the shim's path must be absolute");
  absl::flat_hash_set<std::string> seen;
  for (const std::string& name : functions) {
    if (!IsIdentifier(name))
      return absl::InvalidArgumentError(absl::StrCat("not the name of a function: \"", name, "\""));
    if (!seen.insert(name).second)
      return absl::InvalidArgumentError(absl::StrCat("function named twice: ", name));
  }
  return absl::OkStatus();
}

constexpr uint64_t RoundUp(uint64_t n) { return (n + kPage - 1) / kPage * kPage; }

// Three segments: read-only tables, trampolines, and the writable page with the
// dynamic section and the slots. File offset and address are the same.
class Library {
 public:
  Library(const std::vector<std::string>& functions, absl::string_view shim_path)
      : functions_(functions) {
    shim_name_ = strings_.Add(shim_path);
    bind_name_ = strings_.Add(abi::kScopeBindSymbol);
    for (const std::string& name : functions) names_.push_back(strings_.Add(name));
    slots_name_ = strings_.Add(abi::kScopeSlotsSymbol);
  }

  std::string Build() {
    // The tables' sizes do not depend on the addresses in them: lay out, then fill in.
    WriteTables();
    code_ = RoundUp(image_.size());
    data_ = RoundUp(code_ + functions_.size() * kTrampolineBytes);
    slots_ = data_ + kDynamicEntries * sizeof(Elf64_Dyn);
    image_.clear();
    WriteTables();
    tables_bytes_ = image_.size();
    WriteTrampolines();
    WriteDynamic();
    WriteSlots();
    WriteHeaders();
    return std::move(image_);
  }

 private:
  static constexpr size_t kHeaders = 7;
  static constexpr size_t kDynamicEntries = 12;

  std::vector<Export> Exports() const {
    std::vector<Export> exports;
    for (size_t i = 0; i < functions_.size(); ++i)
      exports.push_back({functions_[i],
                         {names_[i], ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), STV_DEFAULT, kDefined,
                          code_ + i * kTrampolineBytes, kTrampolineBytes}});
    exports.push_back({abi::kScopeSlotsSymbol,
                       {slots_name_, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), STV_DEFAULT, kDefined,
                        slots_, functions_.size() * sizeof(abi::ScopeSlot)}});
    return exports;
  }

  std::vector<Elf64_Rela> Relocations() const {
    std::vector<Elf64_Rela> relocations;
    for (size_t i = 0; i < functions_.size(); ++i) {
      const uint64_t slot = slots_ + i * sizeof(abi::ScopeSlot);
      relocations.push_back(
          {slot + offsetof(abi::ScopeSlot, entry), ELF64_R_INFO(kBindSymbol, R_X86_64_64), 0});
      relocations.push_back({slot + offsetof(abi::ScopeSlot, name),
                             ELF64_R_INFO(0, R_X86_64_RELATIVE),
                             static_cast<Elf64_Sxword>(strings_at_ + names_[i])});
    }
    return relocations;
  }

  void WriteTables() {
    image_.resize(sizeof(Elf64_Ehdr) + kHeaders * sizeof(Elf64_Phdr));
    note_ = Append(image_, kPropertyNote, std::size(kPropertyNote));
    strings_at_ = Append(image_, strings_.bytes.data(), strings_.bytes.size());
    std::vector<Export> exports = Exports();
    const std::vector<uint32_t> hash = HashExports(exports, kBindSymbol + 1);
    hash_ = Append(image_, hash.data(), hash.size());
    std::vector<Elf64_Sym> symbols = {
        {}, {bind_name_, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), STV_DEFAULT, SHN_UNDEF, 0, 0}};
    for (const Export& e : exports) symbols.push_back(e.symbol);
    symbols_ = Append(image_, symbols.data(), symbols.size());
    const std::vector<Elf64_Rela> relocations = Relocations();
    relocations_bytes_ = relocations.size() * sizeof(Elf64_Rela);
    relocations_ = Append(image_, relocations.data(), relocations.size());
  }

  void WriteTrampolines() {
    image_.resize(code_);
    for (size_t i = 0; i < functions_.size(); ++i) {
      const uint64_t at = image_.size();
      image_.append(reinterpret_cast<const char*>(kTrampoline), kTrampolineBytes);
      const auto distance =
          static_cast<int32_t>(slots_ + i * sizeof(abi::ScopeSlot) - (at + kLeaEnd));
      std::memcpy(&image_[at + kLeaOperand], &distance, sizeof(distance));
    }
  }

  void WriteDynamic() {
    image_.resize(data_);
    const Elf64_Dyn dynamic[kDynamicEntries] = {
        {DT_NEEDED, {shim_name_}},
        {DT_GNU_HASH, {hash_}},
        {DT_STRTAB, {strings_at_}},
        {DT_STRSZ, {strings_.bytes.size()}},
        {DT_SYMTAB, {symbols_}},
        {DT_SYMENT, {sizeof(Elf64_Sym)}},
        {DT_RELA, {relocations_}},
        {DT_RELASZ, {relocations_bytes_}},
        {DT_RELAENT, {sizeof(Elf64_Rela)}},
        {DT_FLAGS, {DF_BIND_NOW}},
        {DT_FLAGS_1, {DF_1_NOW | DF_1_NODELETE}},
        {DT_NULL, {0}},
    };
    Append(image_, dynamic, kDynamicEntries);
  }

  void WriteSlots() {
    for (uint32_t i = 0; i < functions_.size(); ++i) {
      abi::ScopeSlot slot = {};
      slot.index = i;
      Append(image_, &slot, 1);
    }
  }

  void WriteHeaders() {
    Elf64_Ehdr header = {};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_DYN;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(header);
    header.e_ehsize = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = kHeaders;
    const Elf64_Phdr segments[kHeaders] = {
        Segment(PT_LOAD, PF_R, 0, tables_bytes_, kPage),
        Segment(PT_LOAD, PF_R | PF_X, code_, functions_.size() * kTrampolineBytes, kPage),
        Segment(PT_LOAD, PF_R | PF_W, data_, image_.size() - data_, kPage),
        Segment(PT_DYNAMIC, PF_R | PF_W, data_, kDynamicEntries * sizeof(Elf64_Dyn), 8),
        Segment(PT_NOTE, PF_R, note_, sizeof(kPropertyNote), 8),
        Segment(PT_GNU_PROPERTY, PF_R, note_, sizeof(kPropertyNote), 8),
        Segment(PT_GNU_STACK, PF_R | PF_W, 0, 0, 16),
    };
    std::memcpy(&image_[0], &header, sizeof(header));
    std::memcpy(&image_[sizeof(header)], segments, sizeof(segments));
  }

  static Elf64_Phdr Segment(uint32_t type, uint32_t flags, uint64_t at, uint64_t bytes,
                            uint64_t align) {
    return {type, flags, at, at, at, bytes, bytes, align};
  }

  static constexpr uint32_t kBindSymbol = 1;
  static constexpr uint16_t kDefined = 1;  // any section number but SHN_UNDEF

  const std::vector<std::string>& functions_;
  Strings strings_;
  std::vector<uint32_t> names_;
  uint32_t shim_name_, bind_name_, slots_name_;
  std::string image_;
  uint64_t note_ = 0, strings_at_ = 0, hash_ = 0, symbols_ = 0, relocations_ = 0;
  uint64_t relocations_bytes_ = 0, tables_bytes_ = 0, code_ = 0, data_ = 0, slots_ = 0;
};

}  // namespace

absl::StatusOr<std::string> BuildScopeLibrary(const std::vector<std::string>& functions,
                                              absl::string_view shim_path) {
  if (absl::Status status = Check(functions, shim_path); !status.ok()) return status;
  return Library(functions, shim_path).Build();
}

}  // namespace pagewarden
