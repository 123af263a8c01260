// SPDX-License-Identifier: Apache-2.0
#include "recorder/modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sched.h>
#include <string.h>

#include "recorder/session.h"

namespace pagewarden::recorder {
namespace {

constexpr char kOwnName[] = "libpagewarden";
constexpr int kMaxWait = 1000;

struct Identity {
  uint32_t build_id_bytes = 0;
  const uint8_t* build_id = nullptr;
  const char* path = "";
};

// The module's notes, in memory.
void FindBuildId(const dl_find_object& object, Identity& identity) {
  const auto* header = static_cast<const Elf64_Ehdr*>(object.dlfo_map_start);
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
  const auto* segments = reinterpret_cast<const Elf64_Phdr*>(
      static_cast<const char*>(object.dlfo_map_start) + header->e_phoff);
  for (uint16_t i = 0; i < header->e_phnum; ++i) {
    if (segments[i].p_type != PT_NOTE) continue;
    const uint64_t alignment = segments[i].p_align == 8 ? 8 : 4;
    const auto* at =
        reinterpret_cast<const char*>(object.dlfo_link_map->l_addr + segments[i].p_vaddr);
    const char* const end = at + segments[i].p_memsz;
    while (at + sizeof(Elf64_Nhdr) <= end) {
      const auto* note = reinterpret_cast<const Elf64_Nhdr*>(at);
      const char* const name = at + sizeof(*note);
      const char* const body = name + (note->n_namesz + alignment - 1) / alignment * alignment;
      if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0 &&
          note->n_descsz <= rec::kMaxBuildIdBytes) {
        identity.build_id_bytes = note->n_descsz;
        identity.build_id = reinterpret_cast<const uint8_t*>(body);
        return;
      }
      at = body + (note->n_descsz + alignment - 1) / alignment * alignment;
    }
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
  strncpy(module.path, identity.path, sizeof(module.path) - 1);
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
  identity.path = object.dlfo_link_map->l_name;
  FindBuildId(object, identity);
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
