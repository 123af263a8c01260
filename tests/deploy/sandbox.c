// SPDX-License-Identifier: Apache-2.0
// Runs a program as closed as the agent's unit does, without a service manager:
//
//   sandbox CAPABILITIES SYSTEM-CALLS WRITABLE... -- PROGRAM [ARGUMENT]...
//
// The first two are lists of names, parted by commas. All mounts are read-only but the WRITABLE
// directories, each an empty tmpfs of its own. Where it differs from systemd it is the stricter:
// all of /proc and /dev is read-only too, and no namespace can be entered or made.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// sys/mount.h and linux/mount.h exclude each other in glibc 2.36.
extern int mount(const char*, const char*, const char*, unsigned long, const void*);
enum { kPrivateRecursively = (1 << 18) | (1 << 14) };  // MS_PRIVATE | MS_REC

static void Check(int failed, const char* what) {
  if (!failed) return;
  fprintf(stderr, "sandbox: %s : %s\n", what, strerror(errno));
  exit(125);
}

static void MakeReadOnly(const char* path, int read_only, unsigned flags) {
  struct mount_attr attributes = {0};
  if (read_only) {
    attributes.attr_set = MOUNT_ATTR_RDONLY;
  } else {
    attributes.attr_clr = MOUNT_ATTR_RDONLY;
  }
  Check(syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof(attributes)) != 0,
        path);
}

static void CloseFileSystems(char** writable) {
  Check(unshare(CLONE_NEWNS) != 0, "unshare");
  Check(mount("none", "/", NULL, kPrivateRecursively, NULL) != 0, "make mounts private");
  for (char** path = writable; strcmp(*path, "--") != 0; ++path)
    Check(mount("tmpfs", *path, "tmpfs", 0, "mode=0755") != 0, *path);
  MakeReadOnly("/", 1, AT_RECURSIVE);
  for (char** path = writable; strcmp(*path, "--") != 0; ++path) MakeReadOnly(*path, 0, 0);
}

static void KeepCapabilities(char* names) {
  char kept[CAP_LAST_CAP + 1] = {0};
  for (char* name = strtok(names, ","); name; name = strtok(NULL, ",")) {
    cap_value_t value;
    Check(cap_from_name(name, &value) != 0, name);
    kept[value] = 1;
  }
  for (cap_value_t value = 0; value <= CAP_LAST_CAP; ++value)
    if (!kept[value]) cap_drop_bound(value);
}

static void AllowSome(scmp_filter_ctx filter, const char* name, int call) {
  if (strcmp(name, "socket") == 0) {
    const int families[] = {AF_UNIX, AF_INET, AF_INET6};
    for (int i = 0; i < 3; ++i)
      seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, SCMP_A0(SCMP_CMP_EQ, families[i]));
  } else if (strcmp(name, "mmap") == 0) {
    const int both = PROT_WRITE | PROT_EXEC, allowed[] = {0, PROT_WRITE, PROT_EXEC};
    for (int i = 0; i < 3; ++i)
      seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                       SCMP_A2(SCMP_CMP_MASKED_EQ, both, allowed[i]));
  } else if (strcmp(name, "mprotect") == 0) {
    seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  } else if (strcmp(name, "unshare") != 0 && strcmp(name, "setns") != 0 &&
             strcmp(name, "pkey_mprotect") != 0) {
    seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
}

static void FilterCalls(char* names) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  Check(filter == NULL, "seccomp_init");
  for (char* name = strtok(names, ","); name; name = strtok(NULL, ",")) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call >= 0) AllowSome(filter, name, call);  // else: of another architecture
  }
  Check(seccomp_load(filter) != 0, "seccomp_load");
}

static void LowerLimit(int which, rlim_t most) {
  struct rlimit limit;
  Check(getrlimit(which, &limit) != 0, "getrlimit");
  if (limit.rlim_max > most) limit.rlim_max = most;
  limit.rlim_cur = limit.rlim_max;
  Check(setrlimit(which, &limit) != 0, "setrlimit");
}

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  char** program = argv + 3;
  while (*program && strcmp(*program, "--") != 0) ++program;
  if (!*program || !program[1]) return 2;
  CloseFileSystems(argv + 3);
  LowerLimit(RLIMIT_CORE, 0);
  LowerLimit(RLIMIT_MEMLOCK, 64 << 20);
  KeepCapabilities(argv[1]);
  Check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0, "no_new_privs");
  FilterCalls(argv[2]);
  execv(program[1], program + 1);
  Check(1, program[1]);
}
