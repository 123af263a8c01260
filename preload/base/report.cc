// SPDX-License-Identifier: Apache-2.0
#include "preload/base/report.h"

#include "preload/base/error.h"
#include "preload/base/ledger.h"
#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/base/sys.h"

extern "C" int* __errno_location() __attribute__((weak));

namespace pagewarden {
namespace {

constexpr int kStandardError = 2;
constexpr int kAbort = 6;
constexpr int kUnblock = 1;
constexpr size_t kLineBytes = 256;

struct Line {
  char text[kLineBytes];
  size_t used = 0;

  void Add(const char* part) {
    for (; *part != 0 && used + 1 < kLineBytes; ++part) text[used++] = *part;
  }
  void Add(uint64_t number) {
    char digits[21];
    char* first = digits + sizeof(digits) - 1;
    *first = 0;
    do *--first = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    Add(first);
  }
  void Add(const char* before, uint64_t number, const char* after) {
    if (number == 0) return;
    Add(before);
    Add(number);
    Add(after);
  }
};

void WriteLine(Line& line) {
  line.text[line.used++] = '\n';
  sys::Write(kStandardError, line.text, line.used);
}

void WriteLine(const char* what, const char* detail) {
  Line line;
  line.Add("pagewarden: ");
  line.Add(what);
  if (detail != nullptr) {
    line.Add(": ");
    line.Add(detail);
  }
  WriteLine(line);
}

// The program may catch or block SIGABRT, but it must not go on from here.
[[noreturn]] void RaiseAbort() {
  struct {
    uint64_t handler, flags, restorer, mask;
  } const by_default = {};
  const uint64_t abort_only = 1u << (kAbort - 1);
  sys::Call(__NR_rt_sigaction, kAbort, sys::Arg(&by_default), 0, sizeof(abort_only));
  sys::Call(__NR_rt_sigprocmask, kUnblock, sys::Arg(&abort_only), 0, sizeof(abort_only));
  sys::Call(__NR_tgkill, sys::GetPid(), sys::Call(__NR_gettid), kAbort);
  __builtin_trap();
}

}  // namespace

int GetErrno() { return &__errno_location != nullptr ? *__errno_location() : 0; }

void SetErrno(int value) {
  if (&__errno_location != nullptr) *__errno_location() = value;
}

PW_COLD void Warn(const char* what) { WriteLine(what, nullptr); }

PW_COLD void Die(const char* what, const Place& place) {
  Line line;
  line.Add("pagewarden: ");
  line.Add(what);
  if (place.arena != nullptr) {
    line.Add(": arena ");
    line.Add(place.arena);
  }
  if (place.rule != nullptr) {
    line.Add(", rule ");
    line.Add(place.rule);
  }
  line.Add(", block of ", place.block_bytes, " bytes");
  line.Add(", slot of ", place.slot_bytes, " bytes");
  WriteLine(line);
  RaiseAbort();
}

PW_COLD void Die(abi::Violation violation, const char* what, const Place& place) {
  Count(ledger.violations[violation]);
  Die(what, place);
}

PW_COLD void DieUnbound(const char* function) {
  WriteLine("symbol lookup error: undefined symbol", function);
  sys::Call(__NR_exit_group, 127);
  __builtin_trap();
}

}  // namespace pagewarden
