// exit: 0
// policy: pin_data.yaml
// Static data of the modules that the policy names is locked: of the executable from
// the start, of a plugin once something was looked up in it. Of others it is not.
#include <dlfcn.h>

#include "pins.h"

void* open_plugin(int flags);
void* opener_data(void);
char own_data[20000] = {1};
static char own_bss[20000];
static char* plugin_data;

static void check_own(void) {
  CHECK(is_locked(own_data) && is_locked(own_data + sizeof own_data - 1));
  CHECK(is_locked(own_bss) && is_locked(own_bss + sizeof own_bss - 1));
  CHECK(!is_locked(opener_data()));
}

static void check_plugin(void) {
  check_own();
  CHECK(is_locked(plugin_data) && is_locked(plugin_data + 19999));
}

int main(void) {
  check_own();
  in_child(check_own);
  const long before = locked_bytes();
  void* plugin = open_plugin(RTLD_NOW);
  CHECK(plugin != NULL);
  plugin_data = dlsym(plugin, "plugin_data");
  check_plugin();
  in_child(check_plugin);
  CHECK(dlclose(plugin) == 0);
  dlsym(RTLD_DEFAULT, "main");
  CHECK(locked_bytes() == before);
  in_child(check_own);
  return 0;
}
