// exit: 0
// A plugin that is bound deeply, to libc's own free before any preloaded one,
// can still free its host's fenced blocks.
#include <dlfcn.h>

#include "case.h"

void* open_plugin(int flags);
void* open_plugin_in(Lmid_t space, int flags);

static void use(void* plugin) {
  CHECK(plugin != NULL);
  void* (*plugin_malloc)(size_t) = (void* (*)(size_t))dlsym(plugin, "plugin_malloc");
  void (*plugin_free)(void*) = (void (*)(void*))dlsym(plugin, "plugin_free");
  void* (*address)(void) = (void* (*)(void))dlsym(plugin, "plugin_malloc_address");
  CHECK(address() == dlsym(RTLD_DEFAULT, "malloc"));
  plugin_free(malloc(64));
  free(plugin_malloc(64));
  char* secret = memset(tagged_malloc(64), 0x5a, 64);
  CHECK(is_fenced(secret));
  plugin_free(secret);
  CHECK(all_zero(secret, 64));
  CHECK(dlclose(plugin) == 0);
}

int main(void) {
  use(open_plugin(RTLD_NOW));
  use(open_plugin(RTLD_NOW | RTLD_DEEPBIND));
  use(open_plugin_in(LM_ID_BASE, RTLD_NOW | RTLD_DEEPBIND));
  CHECK(open_plugin(RTLD_NOW | RTLD_NOLOAD) == NULL);  /* really closed: each was opened anew */
  CHECK(dlopen("libcaseplugin.so", RTLD_NOW) == NULL);  /* not on this program's own path */
  CHECK(dlerror() != NULL);
  return 0;
}
