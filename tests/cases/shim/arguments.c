// exit: 0
// Register, stack, vector and variadic arguments and a large result survive the
// trampoline.
#include "case.h"

int main(void) {
  struct big j;
  for (int k = 0; k < 10; ++k) j.words[k] = 1000 * k;
  for (int round = 0; round < 3; ++round) {
    struct big r = tagged_arguments(1, 2.0, 3, 4, 5, 6, 7, 8, 9.0L, j);
    for (int k = 0; k < 10; ++k) CHECK(r.words[k] == 1000 * k + 45);
    CHECK(tagged_sum(9, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.5) == 45.5);
  }
  return 0;
}
