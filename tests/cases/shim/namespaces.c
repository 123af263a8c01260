// exit: 0
// A plugin in a namespace of its own, with a libc of its own, works on its own
// blocks. Waits for the end of its input, so that its ledger can be looked at.
#include <dlfcn.h>
#include <unistd.h>

#include "case.h"

void* open_plugin_in(Lmid_t space, int flags);

static void use(void* plugin) {
  CHECK(plugin != NULL);
  void* (*plugin_malloc)(size_t) = (void* (*)(size_t))dlsym(plugin, "plugin_malloc");
  void (*plugin_free)(void*) = (void (*)(void*))dlsym(plugin, "plugin_free");
  void* block = plugin_malloc(64);
  CHECK(block != NULL && !is_fenced(block));
  plugin_free(block);
}

int main(void) {
  char end;
  use(open_plugin_in(LM_ID_BASE, RTLD_NOW));
  use(open_plugin_in(LM_ID_NEWLM, RTLD_NOW));
  use(open_plugin_in(LM_ID_NEWLM, RTLD_NOW | RTLD_LOCAL));
  free(tagged_malloc(64));
  puts("ready");
  fflush(stdout);
  CHECK(read(0, &end, 1) == 0);
  return 0;
}
