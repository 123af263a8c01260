// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/own_status.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace truth {
namespace {

bool Kilobytes(const char* text, const char* name, uint64_t& bytes) {
  const char* const line = strstr(text, name);
  if (line == nullptr) return false;
  bytes = strtoull(line + strlen(name), nullptr, 10) * 1024;
  return true;
}

}  // namespace

bool ReadStatusFigures(const char* path, StatusFigures& figures) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[8192];
  ssize_t used = 0;
  while (used < static_cast<ssize_t>(sizeof(text)) - 1) {
    const ssize_t got = read(fd, text + used, sizeof(text) - 1 - used);
    if (got <= 0) break;
    used += got;
  }
  close(fd);
  text[used] = '\0';
  return Kilobytes(text, "\nVmSize:", figures.size_bytes) &&
         Kilobytes(text, "\nVmLck:", figures.locked_bytes) &&
         Kilobytes(text, "\nVmPin:", figures.pinned_bytes);
}

}  // namespace truth
