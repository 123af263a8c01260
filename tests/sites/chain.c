/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define FRAME __attribute__((noinline, noclone)) static

struct step {
  int depth;
  visit_function visit;
  void* data;
  jmp_buf* back;
};

FRAME int next(struct step step);

/* Only a return address in the frame. */
FRAME int small(struct step* step) { return next(*step) + 1; }

FRAME int large(struct step* step) {
  char page[5000];
  memset(page, step->depth, sizeof page);
  return next(*step) + page[step->depth & 1023];
}

FRAME int varying(struct step* step) {
  char* bytes = __builtin_alloca(step->depth * 16 + 1);
  memset(bytes, 1, step->depth * 16 + 1);
  return next(*step) + bytes[step->depth];
}

FRAME int aligned(struct step* step) {
  char line[64] __attribute__((aligned(64)));
  memset(line, 1, sizeof line);
  return next(*step) + line[step->depth & 63];
}

FRAME int aligned_and_varying(struct step* step) {
  char line[64] __attribute__((aligned(64)));
  char* bytes = __builtin_alloca(step->depth * 16 + 1);
  memset(line, 1, sizeof line);
  memset(bytes, 1, step->depth * 16 + 1);
  return next(*step) + line[step->depth & 63] + bytes[1];
}

/* More live values than the registers hold that a call may change. */
FRAME int crowded(struct step* step) {
  int a = rand(), b = rand(), c = rand(), d = rand(), e = rand(), f = rand(), g = rand();
  int result = next(*step);
  return (result + (a ^ b ^ c)) ^ (d + e * f - g);
}

/* The last instruction is a call: its return address lies behind the function. */
__attribute__((noinline, noclone, noreturn)) static void leaves(struct step* step) {
  next(*step);
  longjmp(*step->back, 1);
}

FRAME int left(struct step* step) {
  jmp_buf back;
  step->back = &back;
  if (setjmp(back) == 0) leaves(step);
  return 1;
}

static int compare(const void* a, const void* b) {
  struct step* step = *(struct step**)a != NULL ? *(struct step**)a : *(struct step**)b;
  if (step->visit != NULL) next(*step), step->visit = NULL;
  return 0;
}

/* Through the C library, by way of the procedure linkage table. */
FRAME int sorted(struct step* step) {
  struct step once = *step;
  struct step* two[2] = {&once, &once};
  qsort(two, 2, sizeof two[0], compare);
  return 1;
}

FRAME int next(struct step step) {
  static int (*const frames[])(struct step*) = {
      small, large, varying, aligned, aligned_and_varying, crowded, sorted, left};
  if (step.depth-- <= 0) return step.visit(step.data);
  int result = frames[step.depth % 8](&step);
  __asm__ volatile("" : "+r"(result));
  return result;
}

int CHAIN(int depth, visit_function visit, void* data) {
  struct step step = {depth, visit, data, NULL};
  int result = next(step);
  __asm__ volatile("" : "+r"(result));
  return result;
}
