// SPDX-License-Identifier: Apache-2.0
// fork: the arenas' locks are taken around it, and the child locks its memory
// again before anything else of the program runs, so before it drops rights,
// closes descriptors or enters a sandbox. glibc takes its own malloc locks
// after prepare handlers and releases them before child handlers (fork.c).
#pragma once

namespace pagewarden {

// Returns false where there is nowhere to register.
bool RegisterForkHandlers();

}  // namespace pagewarden
