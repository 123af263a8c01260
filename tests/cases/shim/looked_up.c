// exit: 0
// policy: looked_up.yaml
// Hooked functions that the program looks up itself, and those of libraries that come
// later, are seen as well.
#include <dlfcn.h>
#include <sys/mman.h>

#include "case.h"

void* next_of(const char* name);

typedef void* allocate(size_t bytes);

void* own_malloc(size_t bytes) { return malloc(bytes); }

static int fences(allocate* function) {
  CHECK(function != NULL);
  void* block = function(64);
  const int fenced = is_fenced(block);
  free(block);
  return fenced;
}

static void in_a_library_that_is_there(void) {
  CHECK(fences(dlsym(RTLD_DEFAULT, "tagged_malloc")));
  CHECK(fences(dlsym(RTLD_NEXT, "tagged_malloc")));
  void* library = dlopen("libcase.so", RTLD_NOW | RTLD_NOLOAD);
  CHECK(library != NULL && fences(dlsym(library, "tagged_malloc")));
  CHECK(dlclose(library) == 0);
  CHECK(fences(tagged_malloc));
}

static void in_a_library_that_comes_later(void) {
  CHECK(dlsym(RTLD_DEFAULT, "user_malloc") == NULL);
  void* user = dlopen("libcaseuser.so", RTLD_NOW);
  CHECK(user != NULL);
  CHECK(fences(dlsym(user, "user_malloc")));  /* its call of plugin_malloc is hooked */
  void* plugin = dlopen("libcaseplugin.so", RTLD_NOW);
  CHECK(plugin != NULL && fences(dlsym(plugin, "plugin_malloc")));
  CHECK(!fences(malloc));
  CHECK(dlclose(plugin) == 0 && dlclose(user) == 0);
}

/* A rule names it, and there is no such function, or not yet. */
static void in_no_library(void) {
  void* all = dlopen(NULL, RTLD_NOW);
  static const char* const kNames[] = {"nobodys_malloc", "plugin_malloc"};
  for (int i = 0; i < 2; ++i) {
    CHECK(dlsym(RTLD_DEFAULT, kNames[i]) == NULL && dlerror() != NULL);
    CHECK(dlsym(RTLD_NEXT, kNames[i]) == NULL && dlerror() != NULL);
    CHECK(dlsym(all, kNames[i]) == NULL && dlerror() != NULL);
  }
  CHECK(dlsym(RTLD_DEFAULT, "own_malloc") == (void*)own_malloc);
}

/* Where the library was is no room when it comes again. */
static void in_a_library_that_goes_and_comes_elsewhere(void) {
  allocate* before = NULL;
  for (int i = 0; i < 4; ++i) {
    void* plugin = dlopen("libcaseplugin.so", RTLD_NOW);
    void* user = dlopen("libcaseuser.so", RTLD_NOW);
    CHECK(plugin != NULL && user != NULL);
    allocate* address = dlsym(plugin, "plugin_malloc_address");  /* not hooked */
    CHECK(address != before);
    before = address;
    CHECK(fences(dlsym(user, "user_malloc")) && fences(dlsym(plugin, "plugin_malloc")));
    CHECK(dlclose(user) == 0 && dlclose(plugin) == 0);
    void* page = (void*)((uintptr_t)address & -(uintptr_t)4096);
    CHECK(mmap(page, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
  }
}

/* Who asks for the next definition asks relative to itself. */
static void relative_to_the_caller(void) {
  CHECK(next_of("tagged_malloc") == NULL);
  CHECK(next_of("fopen") != NULL);
  CHECK(dlsym(RTLD_DEFAULT, "no_such_function") == NULL && dlerror() != NULL);
}

int main(void) {
  in_a_library_that_is_there();
  in_no_library();
  in_a_library_that_comes_later();
  in_a_library_that_goes_and_comes_elsewhere();
  relative_to_the_caller();
  return 0;
}
