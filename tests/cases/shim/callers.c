// exit: 0
// policy: callers.yaml
// What one function of a library asks for is fenced, and nothing else.
#include "case.h"
#include "libcaller.h"

#ifndef LIBC_CAN_BE_FOLLOWED
#define LIBC_CAN_BE_FOLLOWED 1
#endif

static void each_way(int ways) {
  for (int round = 0; round < 3; ++round) {
    for (int way = 0; way < ways; ++way) {
      void* p = called(way, 64);
      CHECK(is_fenced(p));
      free(p);
    }
  }
}

static void others_are_plain(void) {
  for (int round = 0; round < 3; ++round) {
    void* mine = malloc(64);
    void* theirs = other_malloc(64);
    char* text = strdup("nothing secret about this text");
    CHECK(!is_fenced(mine) && !is_fenced(theirs) && !is_fenced(text));
    free(mine), free(theirs), free(text);
  }
}

static void through_libc(void) {
  for (int round = 0; round < 3; ++round) {
    char* copy = called_strdup("a secret text");
    char* print = called_asprintf("another secret text ");
    CHECK(is_fenced(copy) == LIBC_CAN_BE_FOLLOWED && strcmp(copy, "a secret text") == 0);
    CHECK(is_fenced(print) == LIBC_CAN_BE_FOLLOWED);
    CHECK(strcmp(print, "another secret text 42") == 0);
    free(copy), free(print);
  }
}

static void only_of_that_size(void) {
  void* large = called(BY_MALLOC, 200 << 10);
  CHECK(!is_fenced(large));
  free(large);
}


int main(void) {
  each_way(BY_NEW);
  others_are_plain();
  through_libc();
  only_of_that_size();
  return 0;
}
