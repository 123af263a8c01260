// SPDX-License-Identifier: Apache-2.0
// Functions that the shim interposes through the scope library because a rule form
// or a pin needs it (abi/interceptors.h). A process whose policy needs none of a
// group goes straight through.
#pragma once

namespace pagewarden {

enum class Intercepts : unsigned {
  kNone = 0,
  kLookup = 1u << 0,
  kThreadName = 1u << 1,     // thread_names.h
  kFile = 1u << 2,           // files.h
  kMappings = 1u << 4,       // pins/mappings.h
  kThreads = 1u << 5,        // pins/stacks.h
  kSandbox = 1u << 6,        // sandbox.h
  kPrivileges = 1u << 7,     // pins/process.h
  kStackBounds = 1u << 8,    // pins/stack_bounds.h
  kStackSwitches = 1u << 9,  // stack/stack_switches.h
  kPrctl = kThreadName | kSandbox,
};

// For Start, before the slots are bound.
void SetIntercepts(unsigned groups);

// Where a slot of this name leads: to its handler, which goes on to `real`, or to
// `real` itself.
const void* InterceptorOr(const char* name, const void* real);

// Whether the handler of this name goes on to `real`.
bool IsIntercepted(const char* name, const void* real);

}  // namespace pagewarden
