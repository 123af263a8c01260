// SPDX-License-Identifier: Apache-2.0
// Finds definitions in the objects that come after the shim in the link map:
// RTLD_NEXT without dlsym, which allocates, may take locks we are under, and
// is not there at all in a libc-free Go program.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden {

struct Wanted {
  const char* name;
  void* found;           // set to the definition; stays null if there is none
  const char* found_in;  // path of the defining object, as the loader knows it
};

// When it is safe to ask the loader for its lock.
enum class Walk {
  // Reads the list of objects bare. For the very first call into the shim,
  // which may come from inside the loader, a sanitizer's start-up or dlsym.
  kBeforeMain,
  // dl_iterate_phdr(3), where its lock can be had (loader_lock.h): other threads may be
  // in dlopen or dlclose.
  kRunning,
};

// Looks up every entry whose `found` is null. The default version wins; hidden
// ones are skipped; IFUNC resolvers are called.
void FindNext(Wanted* wanted, size_t count, Walk walk);

// The object before the shim that defines `name` first, or null: such an
// object shadows the shim's own definition.
const char* DefinedBefore(const char* name);

// Whether the executable, the first object of all, defines `name` itself.
bool IsInExecutable(const char* name);

// A data symbol of any object; `bytes` gets the symbol's size.
void* FindData(const char* name, uint64_t* bytes);

// The function `name` of the object that defines `landmark`, or null.
void* FindBeside(const char* landmark, const char* name);

// The names of the functions that `address` lies in, among the dynamic symbols of the
// object that is loaded at `base` and has this dynamic section. Returns how many.
size_t FunctionsAt(uint64_t base, const void* dynamic, uint64_t address, const char** names,
                   size_t room);

// The dynamic section of the executable: the first object of all.
const void* DynamicOfExecutable();

// Whether the last part of the path begins so.
bool FileNameStartsWith(const char* path, const char* prefix);

}  // namespace pagewarden
