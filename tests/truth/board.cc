// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/board.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

namespace truth {

const char* const kKindNames[kKinds] = {
    "mmap",    "mmap-over",   "munmap",     "mremap", "brk",      "mlock",    "mlock2",
    "munlock", "mlockall",    "munlockall", "secret", "shm-lock", "io_uring", "migrate",
    "thread",  "fork-worker", "fork-child", "exec",   "exit",     "leak",
};

void Complain(Board& board, const char* format, ...) {
  if (board.errors.fetch_add(1) != 0) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(board.first_error, sizeof(board.first_error), format, arguments);
  va_end(arguments);
}

Board* MapBoard(int fd) {
  void* const board = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return board == MAP_FAILED ? nullptr : static_cast<Board*>(board);
}

}  // namespace truth
