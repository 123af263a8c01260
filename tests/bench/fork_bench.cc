// SPDX-License-Identifier: Apache-2.0
// What the atfork handlers cost, and whether locking again in the child copies
// a page. fork() runs the handlers, the bare system call does not; the two take
// turns. Run it with and without the shim: the C library has handlers as well.
//
// Prints `name<TAB>value`: the medians in microseconds, then what the child saw
// of the mappings that hold the secrets, in bytes: before it wrote to any, and
// after it wrote to one, which must copy that page.
//
//   fork_bench ROUNDS
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "libbench.h"
#include "memory_map.h"
#include "timing.h"

namespace pagewarden::bench {
namespace {

constexpr size_t kSecrets = 12'500;  // of 80 bytes each, canary included: fills 1 MiB
constexpr size_t kSecretBytes = 64;

std::vector<unsigned char*> secrets;

void AllocateSecrets(void*) {
  for (unsigned char*& secret : secrets) {
    secret = static_cast<unsigned char*>(malloc(kSecretBytes));
    memset(secret, 0xa5, kSecretBytes);
  }
}

pid_t BareFork() {
  return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

double MicrosecondsToFork(pid_t (*fork_function)()) {
  const double start = WallTime();
  const pid_t child = fork_function();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return (WallTime() - start) / 1e3;
}

struct Pages {
  size_t resident = 0;
  size_t locked = 0;  // bytes of locked mappings
  size_t copied = 0;  // dirty, and no longer shared with the parent
};

// Of the mappings that hold a secret.
Pages PagesOfSecrets() {
  Pages pages;
  ForEachMapping([&pages](const Mapping& mapping) {
    const auto inside = [&mapping](const unsigned char* secret) {
      const auto address = reinterpret_cast<uint64_t>(secret);
      return address >= mapping.begin && address < mapping.end;
    };
    if (std::none_of(secrets.begin(), secrets.end(), inside)) return;
    pages.resident += mapping.resident;
    pages.copied += mapping.private_dirty;
    if (mapping.locked) pages.locked += mapping.end - mapping.begin;
  });
  return pages;
}

struct Seen {
  Pages untouched;
  Pages written;
};

// Allocates nothing: the heap must stay as the parent left it.
[[noreturn]] void LookAround(int pipe_end) {
  Seen seen;
  seen.untouched = PagesOfSecrets();
  secrets[secrets.size() / 2][0] = 1;
  seen.written = PagesOfSecrets();
  const ssize_t wrote = write(pipe_end, &seen, sizeof(seen));
  _exit(wrote == static_cast<ssize_t>(sizeof(seen)) ? 0 : 1);
}

bool AskChild(Seen& seen) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  const pid_t child = fork();
  if (child == 0) LookAround(ends[1]);
  close(ends[1]);
  const ssize_t got = read(ends[0], &seen, sizeof(seen));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return got == static_cast<ssize_t>(sizeof(seen));
}

int Run(int rounds) {
  PinTo(sched_getcpu());
  secrets.resize(kSecrets);
  bench_extent(AllocateSecrets, nullptr);
  std::vector<double> with_handlers;
  std::vector<double> bare;
  for (int round = 0; round < rounds; ++round) {
    with_handlers.push_back(MicrosecondsToFork(fork));
    bare.push_back(MicrosecondsToFork(BareFork));
  }
  Seen seen;
  if (!AskChild(seen)) return 1;
  printf("fork\t%.2f\nbare\t%.2f\n", Median(with_handlers), Median(bare));
  printf("resident\t%zu\nlocked\t%zu\n", seen.untouched.resident, seen.untouched.locked);
  printf("copied\t%zu\ncopied_by_write\t%zu\n", seen.untouched.copied, seen.written.copied);
  return 0;
}

}  // namespace
}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  const int rounds = argc == 2 ? atoi(argv[1]) : 0;
  if (rounds > 0) return pagewarden::bench::Run(rounds);
  fprintf(stderr, "usage: fork_bench ROUNDS\n");
  return 2;
}
