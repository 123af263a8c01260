// SPDX-License-Identifier: Apache-2.0
#include "preload/elf/elf_lookup.h"

#include <elf.h>
#include <link.h>

#include "preload/base/mem.h"
#include "preload/elf/loader_lock.h"

extern "C" {
// glibc and musl publish their list of objects to debuggers under these names.
extern struct r_debug glibc_debug asm("_r_debug") __attribute__((weak));
extern struct r_debug* musl_debug asm("_dl_debug_addr") __attribute__((weak));
#pragma weak dl_iterate_phdr
}

namespace pagewarden {
namespace {

constexpr uint16_t kHiddenVersion = 0x8000;

struct SymbolTable {
  ElfW(Addr) base = 0;
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const uint32_t* gnu_hash = nullptr;
  const uint32_t* sysv_hash = nullptr;
  const uint16_t* versions = nullptr;
};

// glibc adds the base to d_ptr in memory, musl leaves the file's value.
template <typename T>
const T* Relocated(ElfW(Addr) base, ElfW(Addr) value) {
  return reinterpret_cast<const T*>(value < base ? base + value : value);
}

SymbolTable ReadDynamic(ElfW(Addr) base, const ElfW(Dyn) * dynamic) {
  SymbolTable table;
  table.base = base;
  if (dynamic == nullptr) return table;
  for (; dynamic->d_tag != DT_NULL; ++dynamic) {
    const ElfW(Addr) value = dynamic->d_un.d_ptr;
    switch (dynamic->d_tag) {
      case DT_SYMTAB: table.symbols = Relocated<ElfW(Sym)>(base, value); break;
      case DT_STRTAB: table.strings = Relocated<char>(base, value); break;
      case DT_GNU_HASH: table.gnu_hash = Relocated<uint32_t>(base, value); break;
      case DT_HASH: table.sysv_hash = Relocated<uint32_t>(base, value); break;
      case DT_VERSYM: table.versions = Relocated<uint16_t>(base, value); break;
    }
  }
  return table;
}

uint32_t GnuHash(const char* name) {
  uint32_t hash = 5381;
  for (; *name != 0; ++name) hash = hash * 33 + static_cast<unsigned char>(*name);
  return hash;
}

uint32_t SysvHash(const char* name) {
  uint32_t hash = 0;
  for (; *name != 0; ++name) {
    hash = (hash << 4) + static_cast<unsigned char>(*name);
    const uint32_t high = hash & 0xf0000000u;
    hash = (hash ^ (high >> 24)) & ~high;
  }
  return hash;
}

bool Defines(const SymbolTable& table, uint32_t index, const char* name) {
  const ElfW(Sym)& symbol = table.symbols[index];
  const unsigned bind = ELF64_ST_BIND(symbol.st_info);
  if (symbol.st_shndx == SHN_UNDEF || (bind != STB_GLOBAL && bind != STB_WEAK)) return false;
  if (table.versions != nullptr && (table.versions[index] & kHiddenVersion) != 0) return false;
  return Equal(table.strings + symbol.st_name, name);
}

const ElfW(Sym) * FindByGnuHash(const SymbolTable& table, const char* name, uint32_t hash) {
  const uint32_t buckets = table.gnu_hash[0];
  const uint32_t first_symbol = table.gnu_hash[1];
  const uint32_t bloom_words = table.gnu_hash[2];
  const uint32_t bloom_shift = table.gnu_hash[3];
  if (buckets == 0 || bloom_words == 0) return nullptr;
  auto* bloom = reinterpret_cast<const uint64_t*>(table.gnu_hash + 4);
  const uint64_t bits = (1ull << (hash % 64)) | (1ull << ((hash >> bloom_shift) % 64));
  if ((bloom[(hash / 64) % bloom_words] & bits) != bits) return nullptr;
  auto* bucket = reinterpret_cast<const uint32_t*>(bloom + bloom_words);
  const uint32_t* chain = bucket + buckets;
  uint32_t index = bucket[hash % buckets];
  if (index < first_symbol) return nullptr;  // an empty bucket
  for (;; ++index) {
    const uint32_t entry = chain[index - first_symbol];
    if ((entry | 1) == (hash | 1) && Defines(table, index, name)) return &table.symbols[index];
    if ((entry & 1) != 0) return nullptr;
  }
}

const ElfW(Sym) * FindBySysvHash(const SymbolTable& table, const char* name) {
  const uint32_t buckets = table.sysv_hash[0];
  if (buckets == 0) return nullptr;
  const uint32_t* bucket = table.sysv_hash + 2;
  const uint32_t* chain = bucket + buckets;
  for (uint32_t i = bucket[SysvHash(name) % buckets]; i != 0; i = chain[i])
    if (Defines(table, i, name)) return &table.symbols[i];
  return nullptr;
}

const ElfW(Sym) * Find(const SymbolTable& table, const char* name, uint32_t gnu_hash) {
  if (table.symbols == nullptr || table.strings == nullptr) return nullptr;
  // DT_HASH of CentOS 7's vdso points into the kernel: GNU hash first.
  if (table.gnu_hash != nullptr) return FindByGnuHash(table, name, gnu_hash);
  if (table.sysv_hash != nullptr) return FindBySysvHash(table, name);
  return nullptr;
}

// The table does not say: the hash tables do.
uint32_t CountSymbols(const SymbolTable& table) {
  if (table.sysv_hash != nullptr && table.gnu_hash == nullptr) return table.sysv_hash[1];
  if (table.gnu_hash == nullptr) return 0;
  const uint32_t buckets = table.gnu_hash[0];
  const uint32_t first_symbol = table.gnu_hash[1];
  const uint32_t* bucket = table.gnu_hash + 4 + 2 * table.gnu_hash[2];
  uint32_t last = 0;
  for (uint32_t i = 0; i < buckets; ++i)
    if (bucket[i] > last) last = bucket[i];
  if (last < first_symbol) return 0;
  const uint32_t* chain = bucket + buckets;
  while ((chain[last - first_symbol] & 1) == 0) ++last;
  return last + 1;
}

bool IsFunctionAt(const ElfW(Sym) & symbol, uint64_t offset) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC) &&
         offset - symbol.st_value < symbol.st_size;
}

void* AddressOf(const SymbolTable& table, const ElfW(Sym) & symbol) {
  const ElfW(Addr) address = table.base + symbol.st_value;
  if (ELF64_ST_TYPE(symbol.st_info) != STT_GNU_IFUNC)
    return reinterpret_cast<void*>(address);
  return reinterpret_cast<void* (*)()>(address)();
}

void FindIn(const SymbolTable& table, const char* path, Wanted* wanted, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (wanted[i].found != nullptr) continue;
    const ElfW(Sym)* symbol = Find(table, wanted[i].name, GnuHash(wanted[i].name));
    if (symbol == nullptr) continue;
    wanted[i].found = AddressOf(table, *symbol);
    wanted[i].found_in = path;
  }
}

const link_map* FirstObject() {
  if (&glibc_debug != nullptr && glibc_debug.r_map != nullptr) return glibc_debug.r_map;
  if (&musl_debug != nullptr && musl_debug != nullptr) return musl_debug->r_map;
  return nullptr;
}

struct Search {
  Wanted* wanted;
  size_t count;
  bool past_self;
};

const ElfW(Dyn) * DynamicOf(const dl_phdr_info& info) {
  for (unsigned i = 0; i < info.dlpi_phnum; ++i)
    if (info.dlpi_phdr[i].p_type == PT_DYNAMIC)
      return reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + info.dlpi_phdr[i].p_vaddr);
  return nullptr;
}

int VisitObject(dl_phdr_info* info, size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  const ElfW(Dyn)* dynamic = DynamicOf(*info);
  if (search.past_self)
    FindIn(ReadDynamic(info->dlpi_addr, dynamic), info->dlpi_name, search.wanted, search.count);
  search.past_self |= dynamic == _DYNAMIC;
  return 0;
}

}  // namespace

void FindNext(Wanted* wanted, size_t count, Walk walk) {
  if (walk == Walk::kRunning && MayLockLoader() && &dl_iterate_phdr != nullptr) {
    Search search{wanted, count, false};
    dl_iterate_phdr(VisitObject, &search);
    return;
  }
  bool past_self = false;
  for (const link_map* map = FirstObject(); map != nullptr; map = map->l_next) {
    if (past_self) FindIn(ReadDynamic(map->l_addr, map->l_ld), map->l_name, wanted, count);
    past_self |= map->l_ld == _DYNAMIC;
  }
}

const char* DefinedBefore(const char* name) {
  for (const link_map* map = FirstObject(); map != nullptr; map = map->l_next) {
    if (map->l_ld == _DYNAMIC) return nullptr;
    if (Find(ReadDynamic(map->l_addr, map->l_ld), name, GnuHash(name)) != nullptr)
      return map->l_name;
  }
  return nullptr;
}

bool IsInExecutable(const char* name) {
  const link_map* first = FirstObject();
  return first != nullptr &&
         Find(ReadDynamic(first->l_addr, first->l_ld), name, GnuHash(name)) != nullptr;
}

void* FindData(const char* name, uint64_t* bytes) {
  for (const link_map* map = FirstObject(); map != nullptr; map = map->l_next) {
    const SymbolTable table = ReadDynamic(map->l_addr, map->l_ld);
    const ElfW(Sym)* symbol = Find(table, name, GnuHash(name));
    if (symbol == nullptr) continue;
    *bytes = symbol->st_size;
    return reinterpret_cast<void*>(table.base + symbol->st_value);
  }
  return nullptr;
}

void* FindBeside(const char* landmark, const char* name) {
  for (const link_map* map = FirstObject(); map != nullptr; map = map->l_next) {
    const SymbolTable table = ReadDynamic(map->l_addr, map->l_ld);
    if (Find(table, landmark, GnuHash(landmark)) == nullptr) continue;
    const ElfW(Sym)* symbol = Find(table, name, GnuHash(name));
    return symbol != nullptr ? AddressOf(table, *symbol) : nullptr;
  }
  return nullptr;
}

size_t FunctionsAt(uint64_t base, const void* dynamic, uint64_t address, const char** names,
                   size_t room) {
  const SymbolTable table = ReadDynamic(base, static_cast<const ElfW(Dyn)*>(dynamic));
  if (table.symbols == nullptr || table.strings == nullptr) return 0;
  const uint32_t count = CountSymbols(table);
  size_t found = 0;
  for (uint32_t i = 0; i < count && found < room; ++i)
    if (IsFunctionAt(table.symbols[i], address - base))
      names[found++] = table.strings + table.symbols[i].st_name;
  return found;
}

const void* DynamicOfExecutable() {
  const link_map* first = FirstObject();
  return first != nullptr ? first->l_ld : nullptr;
}

bool FileNameStartsWith(const char* path, const char* prefix) {
  const char* name = path;
  for (const char* c = path; *c != 0; ++c)
    if (*c == '/') name = c + 1;
  return EqualBytes(name, prefix, Length(prefix));
}

}  // namespace pagewarden
