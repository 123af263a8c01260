// SPDX-License-Identifier: Apache-2.0
#include "recorder/modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "recorder/session.h"

namespace pagewarden::recorder {
namespace {

constexpr char kOwnName[] = "libpagewarden";
constexpr int kMaxWait = 1000;

struct Identity {
  uint32_t build_id_bytes = 0;
  const uint8_t* build_id = nullptr;
  bool is_executable = false;
  char path[sizeof(rec::Module::path)] = {};
};

size_t Padded(size_t bytes, size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

void FindInNotes(const char* at, const char* end, size_t alignment, Identity& identity) {
  while (at + sizeof(Elf64_Nhdr) <= end && identity.build_id == nullptr) {
    const auto* note = reinterpret_cast<const Elf64_Nhdr*>(at);
    const char* const name = at + sizeof(*note);
    const char* const body = name + Padded(note->n_namesz, alignment);
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0 &&
        note->n_descsz <= rec::kMaxBuildIdBytes) {
      identity.build_id_bytes = note->n_descsz;
      identity.build_id = reinterpret_cast<const uint8_t*>(body);
    }
    at = body + Padded(note->n_descsz, alignment);
  }
}

struct Search {
  const link_map* map;
  Identity* identity;
};

// The loader's list has the program headers also of executables whose header is
// not where _dl_find_object says that the mapping starts.
int FindBuildId(dl_phdr_info* info, size_t, void* argument) {
  const auto* search = static_cast<const Search*>(argument);
  if (info->dlpi_addr != search->map->l_addr) return 0;
  if (strcmp(info->dlpi_name, search->map->l_name) != 0) return 0;
  for (uint16_t i = 0; i < info->dlpi_phnum; ++i) {
    const Elf64_Phdr& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    FindInNotes(notes, notes + segment.p_memsz, segment.p_align == 8 ? 8 : 4, *search->identity);
  }
  return 1;
}

// The loader leaves the executable without a name.
void NameModule(const char* name, Identity& identity) {
  constexpr size_t kMaxBytes = sizeof(identity.path) - 1;
  identity.is_executable = name[0] == '\0';
  if (!identity.is_executable) {
    strncpy(identity.path, name, kMaxBytes);
  } else if (readlink("/proc/self/exe", identity.path, kMaxBytes) < 0) {
    identity.path[0] = '?';
  }
}

bool IsSame(const rec::Module& module, const Identity& identity) {
  if (module.build_id_bytes != identity.build_id_bytes) return false;
  if (identity.build_id_bytes == 0) return strcmp(module.path, identity.path) == 0;
  return memcmp(module.build_id, identity.build_id, identity.build_id_bytes) == 0;
}

void Fill(rec::Module& module, const Identity& identity) {
  module.build_id_bytes = identity.build_id_bytes;
  if (identity.build_id_bytes > 0) {
    memcpy(module.build_id, identity.build_id, identity.build_id_bytes);
  }
  module.is_executable = identity.is_executable;
  memcpy(module.path, identity.path, sizeof(module.path));
  __atomic_store_n(&module.state, rec::State::kReady, __ATOMIC_RELEASE);
}

// Whoever claimed a row may have died before it was ready.
rec::State Await(const rec::Module& module) {
  rec::State state = __atomic_load_n(&module.state, __ATOMIC_ACQUIRE);
  for (int i = 0; i < kMaxWait && state == rec::State::kClaimed; ++i) {
    sched_yield();
    state = __atomic_load_n(&module.state, __ATOMIC_ACQUIRE);
  }
  return state;
}

bool Intern(const Identity& identity, uint32_t* index) {
  for (uint32_t i = 0; i < session.header->modules.count; ++i) {
    rec::Module& module = session.modules[i];
    rec::State state = rec::State::kFree;
    *index = i;
    if (__atomic_compare_exchange_n(&module.state, &state, rec::State::kClaimed, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      Fill(module, identity);
      return true;
    }
    if (Await(module) == rec::State::kReady && IsSame(module, identity)) return true;
  }
  return false;
}

// The last module that was looked up, by thread: most lookups are for few.
struct Known {
  const link_map* map = nullptr;
  const void* start = nullptr;
  uint32_t index = 0;
};
constexpr size_t kKnown = 64;
__attribute__((tls_model("initial-exec"))) thread_local Known known[kKnown];

bool IndexOf(const dl_find_object& object, uint32_t* index) {
  Known& entry = known[reinterpret_cast<uintptr_t>(object.dlfo_link_map) / 64 % kKnown];
  if (entry.map == object.dlfo_link_map && entry.start == object.dlfo_map_start) {
    *index = entry.index;
    return true;
  }
  Identity identity;
  NameModule(object.dlfo_link_map->l_name, identity);
  Search search{object.dlfo_link_map, &identity};
  dl_iterate_phdr(FindBuildId, &search);
  if (!Intern(identity, index)) return false;
  entry = {object.dlfo_link_map, object.dlfo_map_start, *index};
  return true;
}

}  // namespace

bool LocateCode(const void* address, rec::Frame* frame) {
  dl_find_object object;
  if (_dl_find_object(const_cast<void*>(address), &object) != 0) return false;
  frame->reserved = 0;
  frame->offset = reinterpret_cast<uintptr_t>(address) - object.dlfo_link_map->l_addr;
  return IndexOf(object, &frame->module);
}

bool IsOwnCode(const void* address) {
  dl_find_object object;
  if (_dl_find_object(const_cast<void*>(address), &object) != 0) return false;
  const char* const path = object.dlfo_link_map->l_name;
  const char* const slash = strrchr(path, '/');
  return strncmp(slash == nullptr ? path : slash + 1, kOwnName, sizeof(kOwnName) - 1) == 0;
}

}  // namespace pagewarden::recorder
