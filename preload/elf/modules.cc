// SPDX-License-Identifier: Apache-2.0
#include "preload/elf/modules.h"

#include <elf.h>
#include <link.h>

#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/elf/elf_lookup.h"

extern "C" {
#pragma weak dl_iterate_phdr
// <dlfcn.h> of glibc 2.35 and later.
struct pw_found_object {
  unsigned long long flags;
  void* map_start;
  void* map_end;
  link_map* map;
  void* eh_frame;
  unsigned long long reserved[7];
};
int pw_find_object(void*, pw_found_object*) asm("_dl_find_object") __attribute__((weak));
}

namespace pagewarden {
namespace {

PW_SEALED const char* executable_path = nullptr;

const char* PathOf(const char* known, const void* dynamic) {
  const bool is_executable = dynamic == DynamicOfExecutable();
  return is_executable && executable_path != nullptr && *executable_path != 0 ? executable_path
                                                                              : known;
}

const ElfW(Phdr) * HeadersOf(const Module& module) {
  return static_cast<const ElfW(Phdr)*>(module.headers);
}

const ElfW(Phdr) * HeaderOf(const Module& module, uint32_t type) {
  for (uint32_t i = 0; i < module.header_count; ++i)
    if (HeadersOf(module)[i].p_type == type) return &HeadersOf(module)[i];
  return nullptr;
}

// Its program headers are behind the ELF header, in the first page, in every file
// that linkers make; one that was patched may have them elsewhere.
bool FromMapping(const pw_found_object& found, Module* out) {
  constexpr size_t kPage = 4096;
  auto* header = static_cast<const ElfW(Ehdr)*>(found.map_start);
  if (!EqualBytes(reinterpret_cast<const char*>(header->e_ident), ELFMAG, SELFMAG)) return false;
  if (header->e_phentsize != sizeof(ElfW(Phdr)) ||
      header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > kPage)
    return false;
  const auto* headers = static_cast<const char*>(found.map_start) + header->e_phoff;
  *out = {found.map->l_addr, PathOf(found.map->l_name, found.map->l_ld), headers, header->e_phnum,
          found.map->l_ld};
  return true;
}

struct Search {
  uint64_t address;
  Module* out;
};

int VisitObject(dl_phdr_info* info, size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  const Module module = {info->dlpi_addr, info->dlpi_name, info->dlpi_phdr, info->dlpi_phnum,
                         nullptr};
  if (SegmentAround(module, search.address).begin == nullptr) return 0;
  *search.out = module;
  search.out->dynamic = PartOf(module, PT_DYNAMIC).begin;
  search.out->path = PathOf(module.path, search.out->dynamic);
  return 1;
}

int ReadUnloads(dl_phdr_info* info, size_t bytes, void* data) {
  if (bytes >= offsetof(dl_phdr_info, dlpi_subs) + sizeof(info->dlpi_subs))
    *static_cast<uint64_t*>(data) = info->dlpi_subs;
  return 1;
}

Bytes FindNote(Bytes notes, uint32_t type, const char* owner, size_t owner_bytes) {
  const uint8_t* at = notes.begin;
  while (static_cast<size_t>(notes.end - at) >= sizeof(ElfW(Nhdr))) {
    const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
    const uint64_t name = (note->n_namesz + uint64_t{3}) & ~uint64_t{3};
    const uint64_t whole = sizeof(*note) + name + ((note->n_descsz + uint64_t{3}) & ~uint64_t{3});
    if (whole > static_cast<uint64_t>(notes.end - at)) break;
    const uint8_t* content = at + sizeof(*note) + name;
    if (note->n_type == type && note->n_namesz == owner_bytes &&
        EqualBytes(reinterpret_cast<const char*>(note + 1), owner, owner_bytes))
      return {content, content + note->n_descsz};
    at += whole;
  }
  return {nullptr, nullptr};
}

}  // namespace

bool FindModule(uint64_t address, Module* out) {
  if (&pw_find_object != nullptr) {
    pw_found_object found;
    if (pw_find_object(reinterpret_cast<void*>(address), &found) != 0) return false;
    if (FromMapping(found, out)) return true;
  }
  Search search{address, out};
  return &dl_iterate_phdr != nullptr && dl_iterate_phdr(VisitObject, &search) != 0;
}

Bytes BuildIdOf(const Module& module) {
  for (uint32_t i = 0; i < module.header_count; ++i) {
    const ElfW(Phdr)& header = HeadersOf(module)[i];
    if (header.p_type != PT_NOTE) continue;
    const Bytes loaded = SegmentAround(module, module.base + header.p_vaddr);
    const auto* notes = reinterpret_cast<const uint8_t*>(module.base + header.p_vaddr);
    if (loaded.begin == nullptr || header.p_memsz > static_cast<size_t>(loaded.end - notes))
      continue;
    const Bytes id = FindNote({notes, notes + header.p_memsz}, NT_GNU_BUILD_ID, "GNU", 4);
    if (id.begin != nullptr) return id;
  }
  return {nullptr, nullptr};
}

Bytes SegmentAround(const Module& module, uint64_t address) {
  for (uint32_t i = 0; i < module.header_count; ++i) {
    const ElfW(Phdr)& header = HeadersOf(module)[i];
    if (header.p_type != PT_LOAD) continue;
    const uint64_t begin = module.base + header.p_vaddr;
    if (address - begin >= header.p_memsz) continue;
    const auto* bytes = reinterpret_cast<const uint8_t*>(begin);
    return {bytes, bytes + header.p_memsz};
  }
  return {nullptr, nullptr};
}

Bytes PartOf(const Module& module, uint32_t type) {
  const ElfW(Phdr)* header = HeaderOf(module, type);
  if (header == nullptr) return {nullptr, nullptr};
  const auto* begin = reinterpret_cast<const uint8_t*>(module.base + header->p_vaddr);
  return {begin, begin + header->p_memsz};
}

uint64_t CountUnloads() {
  uint64_t unloads = 0;
  if (&dl_iterate_phdr != nullptr) dl_iterate_phdr(ReadUnloads, &unloads);
  return unloads;
}

void SetExecutablePath(const char* path) { executable_path = path; }

}  // namespace pagewarden
