/* SPDX-License-Identifier: Apache-2.0 */
/* Children that are not made by fork: vfork, posix_spawn, system, popen. Each
   is this program again, and fenced; the parent's fence is left as it was. */
#include <spawn.h>

#include "core_check.h"

static char* child[] = {"spawn", "child", NULL};

static void by_vfork(void) {
  const pid_t pid = vfork();
  if (pid == 0) {
    execv("/proc/self/exe", child);
    _exit(1);
  }
  CHECK(wait_for(pid) == kProperExit);
}

static void by_posix_spawn(void) {
  pid_t pid;
  CHECK(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, child, environ) == 0);
  CHECK(wait_for(pid) == kProperExit);
}

static void by_system(const char* self) {
  char command[512];
  snprintf(command, sizeof command, "exec %s child", self);
  CHECK(system(command) == kProperExit << 8);
}

static void by_popen(const char* self) {
  char command[512], line[64];
  snprintf(command, sizeof command, "%s child; echo $?", self);
  FILE* output = popen(command, "r");
  CHECK(output != NULL && fgets(line, sizeof line, output) != NULL);
  CHECK(strcmp(line, "7\n") == 0 && pclose(output) == 0);
}

int main(int argc, char** argv) {
  core_check();
  if (argc > 1) return kProperExit;
  unsigned char* secret = new_secret(64);
  for (int i = 0; i < 3; ++i) {
    by_vfork();
    by_posix_spawn();
    by_system(argv[0]);
    by_popen(argv[0]);
    CHECK(is_fenced(secret) && holds_secret(secret, 64));
  }
  hold();
  free(secret);
  return core_done();
}
