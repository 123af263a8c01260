// SPDX-License-Identifier: Apache-2.0
// Functions that the scope library interposes for the sake of a rule form or a pin,
// not because a rule names them. The agent adds their names to the image's function
// table where a policy needs them, so that other programs pay nothing; the shim
// has a handler for each (preload/rules/interceptors.h). A program that lacks one of
// them is fine.
#pragma once

namespace pagewarden::abi {

// Pointers to interposed functions, looked up at run time. For pins of data: who looks
// something up may have loaded something.
inline constexpr const char* kLookupFunctions[] = {"dlsym", "dlvsym"};

// For `readFrom`. Fortified programs call __open_2 where the flags are not
// known before run time.
inline constexpr const char* kFileFunctions[] = {"open",     "open64",     "openat", "openat64",
                                                 "__open_2", "__open64_2", "fopen",  "fopen64",
                                                 "close",    "fclose"};

// For `threads`.
inline constexpr const char* kThreadNameFunctions[] = {"pthread_setname_np", "prctl"};

// For `pin.mappings` and `pin.process`.
inline constexpr const char* kMappingFunctions[] = {"mmap",   "mmap64",  "munmap",
                                                    "mremap", "madvise", "mprotect"};

// For `pin.stacks` and `pin.process`; for `pin.scrubStack`, to know a thread's stack.
inline constexpr const char* kThreadStartFunctions[] = {"pthread_create"};

// For `pin.scrubStack`.
inline constexpr const char* kStackSwitchFunctions[] = {"makecontext", "sigaltstack"};

// For every pin of a part of the main stack.
inline constexpr const char* kStackBoundsFunctions[] = {"pthread_getattr_np"};

// For `pin.process`: calls that may take away the right to exceed the limit.
inline constexpr const char* kPrivilegeFunctions[] = {
    "setuid", "seteuid",   "setreuid",    "setresuid",
    "capset", "setrlimit", "setrlimit64", "prlimit",   "prlimit64",
    "unshare", "setns"};

// For every pin that locks something after start: a program that enters a sandbox must
// not be made to call mlock(2) there.
inline constexpr const char* kSandboxFunctions[] = {"prctl", "syscall"};

}  // namespace pagewarden::abi
