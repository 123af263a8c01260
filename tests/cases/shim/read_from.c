// exit: 0
// policy: read_from.yaml
// While a thread has a file with secrets open, what it allocates is fenced: the buffer
// of the C library, the one that it reads into, and what it makes of it.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

static int fenced_now(void) {
  void* block = malloc(64);
  const int fenced = is_fenced(block);
  free(block);
  return fenced;
}

static void write_file(const char* path) {
  FILE* file = fopen(path, "w");
  CHECK(file != NULL && fputs("a secret line\n", file) >= 0 && fclose(file) == 0);
}

/* Here and below, the current directory has the files. */
static void make_files(void) {
  static char folder[] = "/tmp/pagewarden-XXXXXX";
  CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
  CHECK(mkdir("read_from_case", 0700) == 0 && mkdir("link", 0700) == 0);
  CHECK(mkdir("read_from_case/all", 0700) == 0);
  write_file("read_from_case/secret.key");
  write_file("read_from_case/other.key");
  write_file("read_from_case/all/below");
  CHECK(symlink("../read_from_case/secret.key", "link/secret.key") == 0);
}

static void remove_files(void) {
  static const char* const kNames[] = {"read_from_case/secret.key", "read_from_case/other.key",
                                       "read_from_case/all/below", "read_from_case/all",
                                       "read_from_case", "link/secret.key", "link"};
  for (size_t i = 0; i < sizeof kNames / sizeof *kNames; ++i) CHECK(remove(kNames[i]) == 0);
  char* folder = getcwd(NULL, 0);
  CHECK(rmdir(folder) == 0);
  free(folder);
}

static void by_stream(const char* path, int secret) {
  CHECK(!fenced_now());
  FILE* file = fopen(path, "r");
  char* line = NULL;
  size_t room = 0;
  CHECK(file != NULL && getline(&line, &room, file) > 0);
  CHECK(is_fenced(line) == secret);
#ifdef __GLIBC__
  CHECK(is_fenced(file->_IO_buf_base) == secret);
#endif
  CHECK(fenced_now() == secret);
  CHECK(fclose(file) == 0);
  CHECK(!fenced_now());
  CHECK(is_fenced(line) == secret && strcmp(line, "a secret line\n") == 0);
  free(line);
}

#ifdef __GLIBC__
int __open_2(const char* path, int flags);
#else
#define __open_2 open
#endif

static void by_descriptor(int fd, int secret) {
  CHECK(fd >= 0 && fenced_now() == secret);
  CHECK(close(fd) == 0);
  CHECK(!fenced_now());
}

static void* sees(void* expected) {
  CHECK(fenced_now() == (expected != NULL));
  return NULL;
}

static void* closes(void* fd) {
  CHECK(close(*(int*)fd) == 0);
  return NULL;
}

static void run(void* (*body)(void*), void* data) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, data) == 0 && pthread_join(thread, NULL) == 0);
}

static void other_threads(void) {
  int fd = open("read_from_case/secret.key", O_RDONLY);
  CHECK(fenced_now());
  run(sees, NULL);
  CHECK(fenced_now());
  run(closes, &fd);
  CHECK(!fenced_now());
}

static void nested(void) {
  int fds[30];
  for (int i = 0; i < 30; ++i) {
    fds[i] = open("read_from_case/secret.key", O_RDONLY);
    CHECK(fds[i] >= 0 && fenced_now());
  }
  for (int i = 0; i < 29; ++i) CHECK(close(fds[(i + 15) % 30]) == 0);
  CHECK(close(fds[14]) == 0);
  CHECK(!fenced_now());
}

static void body_opens(void* fd) { *(int*)fd = open("read_from_case/secret.key", O_RDONLY); }

static void descriptor_taken_over(void) {
  int fd = open("read_from_case/secret.key", O_RDONLY);
  CHECK(fenced_now());
  int other = open("/dev/null", O_RDONLY);
  CHECK(dup2(other, fd) == fd && close(other) == 0);
  CHECK(close(fd) == 0 && !fenced_now());

  fd = open("read_from_case/secret.key", O_RDONLY);
  CHECK(syscall(3 /* close */, fd) == 0);
  CHECK(open("/dev/null", O_RDONLY) == fd && !fenced_now());
  CHECK(close(fd) == 0);
}

static void looked_up(void) {
  void* libc = dlopen("libc.so.6", RTLD_NOW);
  CHECK(libc != NULL);
  int (*looked_up_open)(const char*, int) = dlsym(libc, "open");
  int (*looked_up_close)(int) = dlsym(libc, "close");
  const int fd = looked_up_open("read_from_case/secret.key", O_RDONLY);
  CHECK(fd >= 0 && fenced_now());
  CHECK(looked_up_close(fd) == 0 && !fenced_now());
  CHECK(dlclose(libc) == 0);
}

/* The child has its memory from the parent, but descriptors of its own. */
static void closed_in_a_child_of_vfork(void) {
  int fd = open("read_from_case/secret.key", O_RDONLY);
  const pid_t child = vfork();
  if (child == 0) {
    close(fd);
    _exit(0);
  }
  CHECK(child > 0 && waitpid(child, NULL, 0) == child);
  by_descriptor(fd, 1);
}

static void errno_is_kept(void) {
  errno = 4711;
  FILE* file = fopen("read_from_case/secret.key", "r");
  CHECK(errno == 4711 && file != NULL);
  FILE* memory = fmemopen(NULL, 100, "w");
  errno = 4711;
  CHECK(fclose(memory) == 0 && errno == 4711);
  CHECK(fclose(file) == 0 && errno == 4711);
  CHECK(fopen("read_from_case/nowhere/secret.key", "r") == NULL && errno == ENOENT);
  CHECK(open("link/nowhere/secret.key", O_RDONLY) == -1 && errno == ENOENT);
  CHECK(!fenced_now());
}

int main(void) {
  make_files();
  for (int round = 0; round < 2; ++round) {
    by_stream("read_from_case/secret.key", 1);
    by_stream("link/secret.key", 1);
    by_stream("read_from_case/all/below", 1);
    by_stream("read_from_case/other.key", 0);
    by_descriptor(open("read_from_case/secret.key", O_RDONLY), 1);
    by_descriptor(open("read_from_case/other.key", O_RDONLY), 0);
    by_descriptor(__open_2("read_from_case/secret.key", O_RDONLY), 1);
    by_descriptor(openat(open(".", O_PATH), "link/secret.key", O_RDONLY), 1);
    other_threads();
    nested();
    descriptor_taken_over();
    closed_in_a_child_of_vfork();
    looked_up();
    errno_is_kept();
  }
  int fd;
  tagged(body_opens, &fd);
  by_descriptor(fd, 1);
  remove_files();
  return 0;
}
