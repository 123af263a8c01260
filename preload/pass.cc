// SPDX-License-Identifier: Apache-2.0
#include "preload/pass.h"

#include "preload/next.h"

extern "C" {
// The operators may come late, so theirs cannot be sealed.
#define PW_DEFINE(symbol, result, parameters) result(*pass_##symbol) parameters = boot_##symbol;
#define PW_DEFINE_PLAIN(...)
#define PW_DEFINE_LATE(...)
#define PW_DEFINE_ALLOCATE PW_SEALED PW_DEFINE
#define PW_DEFINE_NEW PW_DEFINE
#define PW_DEFINE_DELETE PW_DEFINE
#define PW_NEXT(kind, symbol, result, parameters, fallback) \
  PW_DEFINE_##kind(symbol, result, parameters)
#include "preload/next_names.h"
#undef PW_NEXT
}

namespace pagewarden {
namespace {

PW_SEALED bool judges_every_call = false;

enum class Kind { ALLOCATE, NEW, DELETE };

struct Entry {
  void** pass;
  void** next;
  Kind kind;
  void* judged;
  void* direct;
};

const Entry kEntries[] = {
#define PW_ADDRESS(function) reinterpret_cast<void*>(function)
#define PW_ENTRY(kind, symbol, judged, direct)                                                     \
  {reinterpret_cast<void**>(&pass_##symbol), reinterpret_cast<void**>(&next_##symbol), Kind::kind, \
   judged, direct},
#define PW_ENTRY_PLAIN(symbol)
#define PW_ENTRY_LATE(symbol)
#define PW_ENTRY_ALLOCATE(symbol) PW_ENTRY(ALLOCATE, symbol, PW_ADDRESS(judged_##symbol), nullptr)
#define PW_ENTRY_NEW(symbol) \
  PW_ENTRY(NEW, symbol, PW_ADDRESS(judged_##symbol), PW_ADDRESS(direct_##symbol))
#define PW_ENTRY_DELETE(symbol) PW_ENTRY(DELETE, symbol, nullptr, nullptr)
#define PW_NEXT(kind, symbol, result, parameters, fallback) PW_ENTRY_##kind(symbol)
#include "preload/next_names.h"
#undef PW_NEXT
};

void* TargetOf(const Entry& entry) {
  if (entry.kind == Kind::ALLOCATE) return judges_every_call ? entry.judged : *entry.next;
  if (operators == Operators::kForeign) return *entry.next;
  if (entry.kind == Kind::NEW && judges_every_call) return entry.judged;
  if (operators == Operators::kAllocator) return *entry.next;
  return entry.kind == Kind::NEW ? entry.direct : reinterpret_cast<void*>(next_free);
}

}  // namespace

void UpdatePassTable() {
  for (const Entry& entry : kEntries) {
    void* target = TargetOf(entry);
    if (*entry.pass != target) __atomic_store_n(entry.pass, target, __ATOMIC_RELEASE);
  }
}

void JudgeEveryCall() {
  judges_every_call = true;
  UpdatePassTable();
}

void** PassOf(void** next) {
  for (const Entry& entry : kEntries)
    if (entry.next == next) return entry.pass;
  return nullptr;
}

}  // namespace pagewarden
