// SPDX-License-Identifier: Apache-2.0
// What rules name, of tests/programs/live_reload_functions.c.
#pragma once

#include <stddef.h>

extern "C" {
// live_first and live_second, called as programs call them: by the slots of a scope library,
// which here is the program itself (trampolines.S).
void hooked_first(void (*body)(void*), void* data);
void hooked_second(void (*body)(void*), void* data);

void* live_caller(void* (*allocate)(size_t), size_t bytes);
}
