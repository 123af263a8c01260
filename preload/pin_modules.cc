// SPDX-License-Identifier: Apache-2.0
#include "preload/pin_modules.h"

#include "preload/macros.h"
#include "preload/pattern.h"
#include "preload/sys.h"

extern "C" {
#pragma weak dl_iterate_phdr

// glibc 2.35: no lock, and safe in signal handlers. Its header is not in every libc.
struct FoundObject {
  unsigned long long flags;
  void* begin;
  void* end;
  struct link_map* map;
  void* eh_frame;
  unsigned long long reserved[7];
};
int find_object(void* address, FoundObject* result) asm("_dl_find_object") __attribute__((weak));
}

namespace pagewarden {
namespace {

constexpr size_t kPathBytes = 256;

PW_SEALED char executable[kPathBytes] = {};

const char* PathOr(const char* loader_name) {
  return loader_name == nullptr || *loader_name == 0 ? executable : loader_name;
}

struct Search {
  uint64_t address;
  const char* path;
};

bool Holds(const dl_phdr_info& info, uint64_t address) {
  for (unsigned i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    const uint64_t begin = info.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address - begin < segment.p_memsz) return true;
  }
  return false;
}

int VisitObject(dl_phdr_info* info, size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  if (!Holds(*info, search.address)) return 0;
  search.path = ModulePath(*info);
  return 1;
}

}  // namespace

void NameExecutable() {
  const long bytes = sys::ReadLink("/proc/self/exe", executable, sizeof(executable) - 1);
  executable[sys::Failed(bytes) ? 0 : bytes] = 0;
}

const char* ModulePathOf(const void* address) {
  if (&find_object != nullptr) {
    FoundObject found;
    if (find_object(const_cast<void*>(address), &found) != 0) return nullptr;
    return PathOr(found.map->l_name);
  }
  if (&dl_iterate_phdr == nullptr) return nullptr;
  Search search = {reinterpret_cast<uint64_t>(address), nullptr};
  dl_iterate_phdr(VisitObject, &search);
  return search.path;
}

const char* ModulePath(const dl_phdr_info& info) { return PathOr(info.dlpi_name); }

bool ModulePatterns::Match(const char* path) const {
  for (uint32_t i = 0; i < range.count; ++i)
    if (MatchesFile(image.text(image.pattern(range.first + i)), path)) return true;
  return false;
}

}  // namespace pagewarden
