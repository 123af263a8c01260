/* SPDX-License-Identifier: Apache-2.0 */
/* A plug-in in a namespace of its own, with a second libc, beyond the shim. */
#include <dlfcn.h>

#include "core_check.h"

int main(int argc, char** argv) {
  CHECK(argc == 2);
  core_check();
  void* plugin = dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW);
  if (plugin == NULL) fputs(dlerror(), stderr);
  CHECK(plugin != NULL);
  int (*works_alone)(void) = dlsym(plugin, "plugin_works_alone");
  CHECK(works_alone());
  core_check();
  hold();
  return core_done();
}
