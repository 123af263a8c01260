// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/file_calls.h"

#include "preload/base/error.h"
#include "preload/base/macros.h"
#include "preload/elf/elf_lookup.h"
#include "preload/rules/files.h"
#include "preload/rules/follow.h"

extern "C" {
// open takes its mode by `...`, which for one integer is the same register.
int (*real_open)(const char* path, int flags, unsigned mode) = nullptr;
int (*real_open64)(const char* path, int flags, unsigned mode) = nullptr;
int (*real_openat)(int folder, const char* path, int flags, unsigned mode) = nullptr;
int (*real_openat64)(int folder, const char* path, int flags, unsigned mode) = nullptr;
int (*real___open_2)(const char* path, int flags) = nullptr;
int (*real___open64_2)(const char* path, int flags) = nullptr;
void* (*real_fopen)(const char* path, const char* mode) = nullptr;
void* (*real_fopen64)(const char* path, const char* mode) = nullptr;
int (*real_close)(int fd) = nullptr;
int (*real_fclose)(void* file) = nullptr;
}

namespace pagewarden {
namespace {

PW_SEALED int (*descriptor_of)(void* file) = nullptr;

// -1 for a stream without a file. errno is the program's.
int DescriptorOf(void* file) {
  if (descriptor_of == nullptr) return -1;
  const int error = GetErrno();
  const int fd = descriptor_of(file);
  SetErrno(error);
  return fd;
}

// A descriptor may have been closed unseen, by dup2(2) or a raw system call: if it is
// given out again, then it was.
int Opened(const char* path, int fd) {
  NoticePolicy();
  if (PW_UNLIKELY(HasSecretFileOpen())) NoticeClosing(fd);
  if (PW_UNLIKELY(fd >= 0 && MayBeSecretFile(path))) NoticeOpened(path, fd);
  return fd;
}

// glibc's fopen does not come by its own open.
void* Opened(const char* path, void* file) {
  NoticePolicy();
  if (PW_LIKELY(file == nullptr || !MayBeSecretFile(path))) return file;
  Opened(path, DescriptorOf(file));
  return file;
}

}  // namespace

void ResolveFileCalls() {
  Wanted wanted = {"fileno", nullptr, nullptr};
  FindNext(&wanted, 1, Walk::kBeforeMain);
  descriptor_of = reinterpret_cast<int (*)(void*)>(wanted.found);
}

extern "C" {

int intercepted_open(const char* path, int flags, unsigned mode) {
  return Opened(path, real_open(path, flags, mode));
}

int intercepted_open64(const char* path, int flags, unsigned mode) {
  return Opened(path, real_open64(path, flags, mode));
}

int intercepted_openat(int folder, const char* path, int flags, unsigned mode) {
  return Opened(path, real_openat(folder, path, flags, mode));
}

int intercepted_openat64(int folder, const char* path, int flags, unsigned mode) {
  return Opened(path, real_openat64(folder, path, flags, mode));
}

int intercepted___open_2(const char* path, int flags) {
  return Opened(path, real___open_2(path, flags));
}

int intercepted___open64_2(const char* path, int flags) {
  return Opened(path, real___open64_2(path, flags));
}

void* intercepted_fopen(const char* path, const char* mode) {
  return Opened(path, real_fopen(path, mode));
}

void* intercepted_fopen64(const char* path, const char* mode) {
  return Opened(path, real_fopen64(path, mode));
}

int intercepted_close(int fd) {
  NoticePolicy();  // a server that has opened all that it needs still closes connections
  if (PW_UNLIKELY(HasSecretFileOpen())) NoticeClosing(fd);
  return real_close(fd);
}

int intercepted_fclose(void* file) {
  NoticePolicy();
  if (PW_UNLIKELY(HasSecretFileOpen())) NoticeClosing(DescriptorOf(file));
  return real_fclose(file);
}

}  // extern "C"

}  // namespace pagewarden
