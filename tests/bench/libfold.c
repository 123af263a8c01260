/* SPDX-License-Identifier: Apache-2.0 */
#include "libfold.h"

#include <stdlib.h>

/* Visible, so that calls go through the procedure linkage table and are not inlined;
   and no tail calls, so that there are frames. */
#define FRAME(name, callee)            \
  void* name(size_t bytes) {           \
    void* p = callee(bytes);           \
    __asm__ volatile("" : "+r"(p));    \
    return p;                          \
  }

FRAME(fold_1, malloc)
FRAME(fold_2, fold_1)
FRAME(fold_3, fold_2)
FRAME(fold_4, fold_3)
FRAME(fold_5, fold_4)
FRAME(fold_6, fold_5)
FRAME(fold_7, fold_6)
FRAME(fold_8, fold_7)
