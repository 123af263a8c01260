// SPDX-License-Identifier: Apache-2.0
// One scenario by hand, or for another test: says when it is ready, makes the attempt
// when it reads a line, says what came of it, and stays until its input ends.
//
//   reasons-scenario over-limit
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/reasons/scenario.h"
#include "tests/reasons/setup.h"

namespace {

int List() {
  for (const auto& scenario : pagewarden::AllScenarios()) {
    printf("%s\t%s\t%s\n", scenario.name, scenario.call, scenario.code);
  }
  return 2;
}

void Print(const pagewarden::Outcome& outcome) {
  if (outcome.signal != 0) {
    printf("signal %s\n", strsignal(outcome.signal));
  } else {
    printf("returned %ld %s\n", outcome.result,
           outcome.result == -1 ? strerror(outcome.error) : "");
  }
  fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return List();
  for (const auto& scenario : pagewarden::AllScenarios()) {
    if (std::string(argv[1]) != scenario.name) continue;
    pagewarden::ScenarioProcess process(scenario);
    if (!process.skip_reason().empty()) {
      printf("not here: %s\n", process.skip_reason().c_str());
      return 77;
    }
    printf("ready %d\n", process.pid());
    fflush(stdout);
    if (getchar() != EOF) Print(process.Go());
    while (getchar() != EOF) continue;
    return 0;
  }
  return List();
}
