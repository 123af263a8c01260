// SPDX-License-Identifier: Apache-2.0
// dlsym and dlvsym: a pointer to a hooked function that the program looks up in the
// library that defines it leads to the hook as well; one to a function that only a rule
// names is null, as it is without the shim. A program that looks something up has
// loaded something: a good moment to notice new modules (pins/data.h).
#pragma once

extern "C" {
extern void* (*real_dlsym)(void* handle, const char* name);
extern void* (*real_dlvsym)(void* handle, const char* name, const char* version);
void* intercepted_dlsym(void* handle, const char* name);
void* intercepted_dlvsym(void* handle, const char* name, const char* version);
}
