// exit: 0
// policy: other_program.yaml
// Where no policy selects the program, RTLD_DEEPBIND does what it says: the
// plugin's malloc is libc's, not the shim's.
#include <dlfcn.h>

#include "case.h"

void* open_plugin(int flags);

int main(void) {
  void* plugin = open_plugin(RTLD_NOW | RTLD_DEEPBIND);
  CHECK(plugin != NULL);
  void* (*plugin_malloc)(size_t) = (void* (*)(size_t))dlsym(plugin, "plugin_malloc");
  void (*plugin_free)(void*) = (void (*)(void*))dlsym(plugin, "plugin_free");
  void* (*address)(void) = (void* (*)(void))dlsym(plugin, "plugin_malloc_address");
  CHECK(address() != dlsym(RTLD_DEFAULT, "malloc"));
  plugin_free(malloc(64));
  free(plugin_malloc(64));
  CHECK(dlclose(plugin) == 0);
  return 0;
}
