// exit: 0
// libc: musl
// dlopen finds what it should, and says what it did not find.
#include <dlfcn.h>

#include "case.h"

int main(void) {
  free(tagged_malloc(64));  /* linked to libcase, then */
  void* self = dlopen(NULL, RTLD_NOW);
  CHECK(self != NULL && dlclose(self) == 0);
  void* library = dlopen("libcase.so", RTLD_NOW | RTLD_NOLOAD);
  if (library == NULL) library = dlopen("libmuslcase.so", RTLD_NOW | RTLD_NOLOAD);
  CHECK(library != NULL && dlsym(library, "tagged_malloc") != NULL);
  CHECK(dlclose(library) == 0);
  CHECK(dlopen("libnowhere.so", RTLD_NOW) == NULL && strstr(dlerror(), "libnowhere.so") != NULL);
  return 0;
}
