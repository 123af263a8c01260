/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the plugin by its soname: found only if the loader sees this library as
   the caller, whose RUNPATH leads there. */
#include <dlfcn.h>

static char data[20000];

void* opener_data(void) { return data + sizeof data / 2; }

void* open_plugin(int flags) {
  void* plugin = dlopen("libcaseplugin.so", flags);
  __asm__ volatile("");  /* not a tail call: the loader must see this library */
  return plugin;
}

void* open_plugin_in(Lmid_t space, int flags) {
  void* plugin = dlmopen(space, "libcaseplugin.so", flags);
  __asm__ volatile("");
  return plugin;
}

/* Of the libraries behind this one. */
void* next_of(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  __asm__ volatile("" : "+r"(found));
  return found;
}
