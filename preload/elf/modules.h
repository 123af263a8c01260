// SPDX-License-Identifier: Apache-2.0
// The executables and libraries of this process, by the addresses of their code.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden {

// What lies in memory of a file. Valid until the file is unloaded.
struct Module {
  uint64_t base;        // virtual addresses of the file are relative to it
  const char* path;     // as the loader knows it; of the executable as the kernel does
  const void* headers;  // ElfW(Phdr)[header_count]
  uint32_t header_count;
  const void* dynamic;
};

struct Bytes {
  const uint8_t* begin;
  const uint8_t* end;
  size_t size() const { return static_cast<size_t>(end - begin); }
};

// The loader's lock is taken only where it has no _dl_find_object (glibc before
// 2.35, musl).
bool FindModule(uint64_t address, Module* out);

// NT_GNU_BUILD_ID; empty if there is none.
Bytes BuildIdOf(const Module& module);

// What is mapped of the file around `address`; empty if nothing is.
Bytes SegmentAround(const Module& module, uint64_t address);

// The first program header of this type, in memory; empty if there is none.
Bytes PartOf(const Module& module, uint32_t type);

// How many times modules were unloaded so far.
uint64_t CountUnloads();

// The name of the executable's file, for modules; for Start. It must stay.
void SetExecutablePath(const char* path);

}  // namespace pagewarden
