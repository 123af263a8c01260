// SPDX-License-Identifier: Apache-2.0
#pragma once

#define PW_EXPORT extern "C" __attribute__((visibility("default")))
// Visibility of declarations does not follow -fvisibility: without this, every use
// goes through the global offset table.
#define PW_HIDDEN __attribute__((visibility("hidden")))

#define PW_LIKELY(x) __builtin_expect(!!(x), 1)
#define PW_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PW_INLINE inline __attribute__((always_inline))
#define PW_COLD __attribute__((cold, noinline))

// Written during start, then read-only for the rest of the process (start.cc).
#define PW_SEALED __attribute__((section("pw_sealed")))

// The same, but where the process follows a live image (rules/follow.h).
#define PW_SEALED_UNLESS_LIVE __attribute__((section("pw_sealed_unless_live")))
