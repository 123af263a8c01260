/* SPDX-License-Identifier: Apache-2.0 */
/* A plug-in opened with RTLD_DEEPBIND sees libc's free before the shim's. It
   is named without a path, so that it is found by this program's RUNPATH. */
#include <dlfcn.h>

#include "core_check.h"

int main(void) {
  core_check();
  void* plugin = dlopen("plugin.so", RTLD_NOW | RTLD_DEEPBIND);
  if (plugin == NULL) fputs(dlerror(), stderr);
  CHECK(plugin != NULL);
  void (*plugin_free)(void*) = dlsym(plugin, "plugin_free");
  void* (*plugin_resize)(void*, size_t) = dlsym(plugin, "plugin_resize");
  plugin_free(malloc(100));
  unsigned char* secret = plugin_resize(new_secret(64), 4000);
  CHECK(is_fenced(secret) && holds_secret(secret, 64));
  plugin_free(secret);
  CHECK(all_zero(secret, 64));
  hold();
  return core_done();
}
