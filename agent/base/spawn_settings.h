// SPDX-License-Identifier: Apache-2.0
// What posix_spawn(3) takes, freed with it. Unlike fork, posix_spawn leaves no copy of this
// program's memory behind.
#pragma once

#include <signal.h>
#include <spawn.h>

namespace pagewarden {

// Not thread-safe. Set what is needed on both members.
struct SpawnSettings {
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // Its standard output is this process's standard error: what it prints is a message.
  void PrintToStandardError() { posix_spawn_file_actions_adddup2(&actions, 2, 1); }

  // `more`: other POSIX_SPAWN_ flags.
  void SetSignalMask(const sigset_t& mask, int more = 0) {
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | more));
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace pagewarden
