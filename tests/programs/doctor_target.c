// SPDX-License-Identifier: Apache-2.0
// A program that locks when it is told to, and says what came of it.
//   doctor-target                   reads commands from stdin, one a line
//   doctor-target filter ACTION -- COMMAND…   under a seccomp filter: errno or kill
// Commands: lock BYTES, map BYTES (MAP_LOCKED), all, shm BYTES, drift ROUNDS, fork, split N.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(int failed) { printf("%s\n", failed ? strerrorname_np(errno) : "OK"); }

static void* pages(size_t bytes, int flags) {
  return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void lock(size_t bytes) {
  void* memory = pages(bytes, 0);
  say(memory == MAP_FAILED || mlock(memory, bytes) != 0);
}

static void lock_shared(size_t bytes) {
  const int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
  const int failed = id < 0 || shmctl(id, SHM_LOCK, NULL) != 0;
  const int error = errno;
  if (id >= 0 && shmat(id, NULL, 0) != (void*)-1) shmctl(id, IPC_RMID, NULL);
  errno = error;
  say(failed);
}

// mremap(MREMAP_DONTUNMAP) of locked memory: kernels 6.16 to 7.1 forget to take it off VmLck.
static void drift(long rounds) {
  const size_t bytes = 65536;
  for (long i = 0; i < rounds; ++i) {
    void* old = pages(bytes, MAP_LOCKED);
    if (old == MAP_FAILED) break;
    void* moved = mremap(old, bytes, bytes, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    munmap(old, bytes);
    if (moved != MAP_FAILED) munmap(moved, bytes);
  }
  say(0);
}

// Alternating protections: each page a mapping of its own.
static void split(long count) {
  char* memory = pages((size_t)count * 4096, 0);
  for (long i = 0; i < count; i += 2) mprotect(memory + i * 4096, 4096, PROT_READ);
  say(0);
}

// So much by malloc in pieces, written to and freed again.
static void churn(size_t bytes) {
  enum { kPieces = 32 };
  void* pieces[kPieces];
  for (int i = 0; i < kPieces; ++i) {
    pieces[i] = malloc(bytes / kPieces);
    if (pieces[i] != NULL) memset(pieces[i], 1, bytes / kPieces);
  }
  for (int i = 0; i < kPieces; ++i) free(pieces[i]);
  say(0);
}

static void fork_and_wait(void) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  printf("%d\n", child);
}

static void obey(const char* word, long number) {
  if (strcmp(word, "lock") == 0) lock((size_t)number);
  if (strcmp(word, "map") == 0) say(pages((size_t)number, MAP_LOCKED) == MAP_FAILED);
  if (strcmp(word, "all") == 0) say(mlockall(MCL_CURRENT | MCL_FUTURE) != 0);
  if (strcmp(word, "churn") == 0) churn((size_t)number);
  if (strcmp(word, "shm") == 0) lock_shared((size_t)number);
  if (strcmp(word, "drift") == 0) drift(number);
  if (strcmp(word, "fork") == 0) fork_and_wait();
  if (strcmp(word, "split") == 0) split(number);
  fflush(stdout);
}

#define REFUSE(call) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, action)

static void filter_and_run(const char* how, char** command) {
  const unsigned action =
      strcmp(how, "kill") == 0 ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      REFUSE(SYS_mlock),
      REFUSE(SYS_mlock2),
      REFUSE(SYS_mlockall),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) execvp(command[0], command);
  perror(command[0]);
  exit(125);
}

int main(int argc, char** argv) {
  char word[32];
  long number = 0;
  if (argc > 4 && strcmp(argv[1], "filter") == 0) filter_and_run(argv[2], argv + 4);
  printf("ready\n");
  fflush(stdout);
  while (scanf("%31s %ld", word, &number) == 2) obey(word, number);
  return 0;
}
