// SPDX-License-Identifier: Apache-2.0
#include "preload/calls/pass.h"

#include "preload/calls/next.h"
#include "preload/rules/sites.h"

extern "C" {
// The operators may come late, so theirs cannot be sealed.
#define PW_DEFINE(symbol, result, parameters) result(*pass_##symbol) parameters = boot_##symbol;
#define PW_DEFINE_PLAIN(...)
#define PW_DEFINE_LATE(...)
#define PW_DEFINE_ALLOCATE PW_SEALED_UNLESS_LIVE PW_DEFINE
#define PW_DEFINE_NEW PW_DEFINE
#define PW_DEFINE_DELETE PW_DEFINE
#define PW_NEXT(kind, symbol, result, parameters, fallback) \
  PW_DEFINE_##kind(symbol, result, parameters)
#include "preload/calls/next_names.h"
#undef PW_NEXT
}

namespace pagewarden {
namespace {

PW_SEALED_UNLESS_LIVE Judging judging = Judging::kExtents;

// What comes to be judged only if the site is not known for a plain one. A jump either
// way: judged functions look at the program's own call.
template <auto next, auto judged>
struct SitedCall;
template <typename Result, typename... Arguments, Result (**next)(Arguments...),
          Result (*judged)(Arguments...)>
struct SitedCall<next, judged> {
  static Result Call(Arguments... arguments) {
    if (PW_LIKELY(IsPlainSite(__builtin_return_address(0)))) return (*next)(arguments...);
    return judged(arguments...);
  }
};

template <auto next, auto direct, auto judged>
struct SitedNew;
template <typename... Arguments, void* (**next)(Arguments...), void* (*direct)(Arguments...),
          void* (*judged)(Arguments...)>
struct SitedNew<next, direct, judged> {
  static void* Call(Arguments... arguments) {
    if (PW_UNLIKELY(!IsPlainSite(__builtin_return_address(0)))) return judged(arguments...);
    if (operators == Operators::kCxxLibrary) return direct(arguments...);
    return (*next)(arguments...);
  }
};

enum class Kind { ALLOCATE, NEW, DELETE };

struct Entry {
  void** pass;
  void** next;
  Kind kind;
  void* judged;
  void* sited;
  void* direct;
};

const Entry kEntries[] = {
#define PW_ADDRESS(function) reinterpret_cast<void*>(function)
#define PW_ENTRY(kind, symbol, judged, sited, direct) \
  {reinterpret_cast<void**>(&pass_##symbol),          \
   reinterpret_cast<void**>(&next_##symbol),          \
   Kind::kind,                                        \
   judged,                                            \
   sited,                                             \
   direct},
#define PW_ENTRY_PLAIN(symbol)
#define PW_ENTRY_LATE(symbol)
#define PW_ENTRY_ALLOCATE(symbol)                         \
  PW_ENTRY(ALLOCATE, symbol, PW_ADDRESS(judged_##symbol), \
           PW_ADDRESS((&SitedCall<&next_##symbol, judged_##symbol>::Call)), nullptr)
#define PW_ENTRY_NEW(symbol)                                                                \
  PW_ENTRY(NEW, symbol, PW_ADDRESS(judged_##symbol),                                        \
           PW_ADDRESS((&SitedNew<&next_##symbol, direct_##symbol, judged_##symbol>::Call)), \
           PW_ADDRESS(direct_##symbol))
#define PW_ENTRY_DELETE(symbol) PW_ENTRY(DELETE, symbol, nullptr, nullptr, nullptr)
#define PW_NEXT(kind, symbol, result, parameters, fallback) PW_ENTRY_##kind(symbol)
#include "preload/calls/next_names.h"
#undef PW_NEXT
};

void* TargetOf(const Entry& entry) {
  const bool is_judged = judging != Judging::kExtents;
  void* judge = judging == Judging::kEveryCall ? entry.judged : entry.sited;
  if (entry.kind == Kind::ALLOCATE) return is_judged ? judge : *entry.next;
  if (operators == Operators::kForeign) return *entry.next;
  if (entry.kind == Kind::NEW && is_judged) return judge;
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

void SetJudging(Judging wanted) {
  if (judging == wanted) return;
  judging = wanted;
  UpdatePassTable();
}

void** PassOf(void** next) {
  for (const Entry& entry : kEntries)
    if (entry.next == next) return entry.pass;
  return nullptr;
}

}  // namespace pagewarden
