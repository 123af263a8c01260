// exit: 0
// policy: reloaded.yaml
// A plugin is closed and another takes its addresses: what is known of the call sites
// of the one must not be held against the other.
#include <dlfcn.h>

#include "case.h"

struct plugin {
  void* handle;
  void* (*malloc)(size_t);
};

static struct plugin load(const char* name) {
  struct plugin plugin = {dlopen(name, RTLD_NOW), NULL};
  CHECK(plugin.handle != NULL);
  plugin.malloc = dlsym(plugin.handle, "plugin_malloc");
  CHECK(plugin.malloc != NULL);
  return plugin;
}

static void* use_and_close(const char* name, int fenced) {
  struct plugin plugin = load(name);
  for (int i = 0; i < 3; ++i) {
    void* p = plugin.malloc(64);
    CHECK(is_fenced(p) == fenced);
    free(p);
  }
  CHECK(dlclose(plugin.handle) == 0);
  return plugin.malloc;
}

int main(void) {
  int at_the_same_place = 0;
  void* last = NULL;
  for (int i = 0; i < 10; ++i) {
    const int fenced = i % 2;
    void* now = use_and_close(fenced ? "libcaseplugin.so" : "libcaseplugin2.so", fenced);
    at_the_same_place += now == last;
    last = now;
  }
  CHECK(at_the_same_place > 0);
  return 0;
}
