// SPDX-License-Identifier: Apache-2.0
// What an environment adds to the life of the smallest program: fork, exec,
// start-up, exit, wait. The environments take turns, so that drift of the
// machine hits all. Prints the median in microseconds of each, a line each.
//
//   spawn_bench ROUNDS -- [NAME=VALUE…] -- [NAME=VALUE…] …
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "timing.h"

namespace pagewarden::bench {
namespace {

constexpr char kProgram[] = "/bin/true";

using Environment = std::vector<char*>;  // ends with null, as execve wants it

std::vector<Environment> ParseEnvironments(char** words) {
  std::vector<Environment> environments;
  for (; *words != nullptr; ++words) {
    if (strcmp(*words, "--") == 0) {
      environments.emplace_back();
    } else if (!environments.empty()) {
      environments.back().push_back(*words);
    }
  }
  for (Environment& environment : environments) environment.push_back(nullptr);
  return environments;
}

double MicrosecondsToRun(const Environment& environment) {
  char* const arguments[] = {const_cast<char*>(kProgram), nullptr};
  pid_t child;
  int status = -1;
  const double start = WallTime();
  const int error = posix_spawn(&child, kProgram, nullptr, nullptr, arguments, environment.data());
  if (error == 0) waitpid(child, &status, 0);
  const double elapsed = WallTime() - start;
  if (error == 0 && status == 0) return elapsed / 1e3;
  fprintf(stderr, "spawn_bench: %s failed\n", kProgram);
  exit(1);
}

}  // namespace
}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  using namespace pagewarden::bench;
  const int rounds = argc > 2 ? atoi(argv[1]) : 0;
  if (rounds <= 0) {
    fprintf(stderr, "usage: spawn_bench ROUNDS -- [NAME=VALUE...] -- ...\n");
    return 2;
  }
  const std::vector<Environment> environments = ParseEnvironments(argv + 2);
  PinTo(sched_getcpu());
  std::vector<std::vector<double>> times(environments.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < environments.size(); ++i)
      times[i].push_back(MicrosecondsToRun(environments[i]));
  }
  for (const std::vector<double>& values : times) printf("%.2f\n", Median(values));
  return 0;
}
