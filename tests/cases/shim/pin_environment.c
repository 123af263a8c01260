// exit: 0
// without: ipc_lock
// memlock: 65536
// policy: pin_environment.yaml
// Arguments and environment are locked where the kernel put them, in children too,
// and the main stack below them grows past the limit as before.
#include "pins.h"

extern char** environ;

static const char* argument;

static void check(void) {
  CHECK(is_locked(argument));
  for (char** variable = environ; *variable != NULL; ++variable) CHECK(is_locked(*variable));
}

static void check_growth(void) { CHECK(descend(6 << 20) > 0); }

int main(int argc, char** argv) {
  argument = argv[0];
  check();
  CHECK(locked_bytes() > 0 && locked_bytes() <= 65536);
  in_child(check);
  in_child(check_growth);
  check_growth();
  check();
  return 0;
}
