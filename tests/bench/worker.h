// SPDX-License-Identifier: Apache-2.0
// The program around a peer. Prints `name<TAB>value`, one figure a line.
//
//   peer_NAME pairs LIVE                       CPU ns of a pair beside LIVE secrets
//   peer_NAME count PAIRS                      just does them, to be counted by valgrind
//   peer_NAME threads                          pairs a second on one thread and on two
//   peer_NAME growth WANTED SIZED-FOR SECONDS  keeps the secrets until standard input ends
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "growth.h"
#include "pairs.h"
#include "secrets.h"
#include "threads.h"

namespace pagewarden::bench {

inline constexpr size_t kLiveSecrets = 1000;
inline constexpr int kThreadTurns = 6;
inline constexpr size_t kRoom = 2000;  // secrets that the pooled peers are sized for

inline void WaitForEndOfInput() {
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
}

template <typename Peer>
void RunPairs(size_t live) {
  printf("ns\t%.3f\n", NanosecondsPerPair<Peer>(live));
}

template <typename Peer>
void RunCount(size_t pairs) {
  const auto live = LiveSecrets<Peer>(kLiveSecrets);
  Inside<Peer>([pairs] { DoPairs<Peer>(pairs); });
}

template <typename Peer>
void RunThreads() {
  const std::vector<int> processors = Processors();
  if (processors.size() < 2) return;
  const auto live = LiveSecrets<Peer>(kLiveSecrets);
  double one = 0;
  double two = 0;
  for (int turn = 0; turn < kThreadTurns; ++turn) {  // a burst of load hits both
    one = std::max(one, Throughput<Peer>({processors[static_cast<size_t>(turn % 2)]}));
    two = std::max(two, Throughput<Peer>({processors[0], processors[1]}));
  }
  printf("one\t%.0f\ntwo\t%.0f\n", one, two);
}

template <typename Peer>
int Main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto number = [&words](size_t i) { return strtoull(words[i].c_str(), nullptr, 10); };
  if (words.size() == 4 && words[0] == "growth") {
    MeasureGrowth<Peer>(number(1), number(2), strtod(words[3].c_str(), nullptr));
    WaitForEndOfInput();
    return 0;
  }
  if (!Peer::Start(kRoom)) return 1;
  if (words.size() == 2 && words[0] == "pairs") {
    RunPairs<Peer>(number(1));
  } else if (words.size() == 2 && words[0] == "count") {
    RunCount<Peer>(number(1));
  } else if (words.size() == 1 && words[0] == "threads") {
    RunThreads<Peer>();
  } else {
    fprintf(stderr, "usage: %s pairs LIVE | count PAIRS | threads | growth WANTED SIZED SECONDS\n",
            argv[0]);
    return 2;
  }
  return 0;
}

}  // namespace pagewarden::bench
