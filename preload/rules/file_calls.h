// SPDX-License-Identifier: Apache-2.0
// The calls that open and close files, for `readFrom`.
#pragma once

namespace pagewarden {

// For Start.
void ResolveFileCalls();

}  // namespace pagewarden

extern "C" {
extern int (*real_open)(const char* path, int flags, unsigned mode);
extern int (*real_open64)(const char* path, int flags, unsigned mode);
extern int (*real_openat)(int folder, const char* path, int flags, unsigned mode);
extern int (*real_openat64)(int folder, const char* path, int flags, unsigned mode);
extern int (*real___open_2)(const char* path, int flags);
extern int (*real___open64_2)(const char* path, int flags);
extern void* (*real_fopen)(const char* path, const char* mode);
extern void* (*real_fopen64)(const char* path, const char* mode);
extern int (*real_close)(int fd);
extern int (*real_fclose)(void* file);
int intercepted_open(const char* path, int flags, unsigned mode);
int intercepted_open64(const char* path, int flags, unsigned mode);
int intercepted_openat(int folder, const char* path, int flags, unsigned mode);
int intercepted_openat64(int folder, const char* path, int flags, unsigned mode);
int intercepted___open_2(const char* path, int flags);
int intercepted___open64_2(const char* path, int flags);
void* intercepted_fopen(const char* path, const char* mode);
void* intercepted_fopen64(const char* path, const char* mode);
int intercepted_close(int fd);
int intercepted_fclose(void* file);
}
