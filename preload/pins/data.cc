// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/data.h"

#include "preload/base/macros.h"
#include "preload/pins/pins.h"

extern "C" {
#pragma weak dl_iterate_phdr
}

namespace pagewarden {
namespace {

PW_SEALED ModulePatterns wanted = {};

// How many modules the loader has ever loaded and unloaded, when they were last
// looked at; 0: never.
unsigned long long seen_changes = 0;

struct Span {
  uint64_t begin;
  uint64_t end;
};

Span SpanOf(const dl_phdr_info& info, const ElfW(Phdr) & segment) {
  const uint64_t begin = info.dlpi_addr + segment.p_vaddr;
  return {begin, begin + segment.p_memsz};
}

Span SealedBy(const dl_phdr_info& info) {
  for (unsigned i = 0; i < info.dlpi_phnum; ++i)
    if (info.dlpi_phdr[i].p_type == PT_GNU_RELRO) return SpanOf(info, info.dlpi_phdr[i]);
  return {0, 0};
}

// The page that the sealed part ends in is writable, if it does so in its midst.
void PinSegment(Span segment, Span sealed) {
  if (sealed.begin <= segment.begin && sealed.end > segment.begin) segment.begin = sealed.end;
  if (segment.begin < segment.end) Pin(segment.begin, segment.end, PinSource::kData);
}

int PinModule(dl_phdr_info* info, size_t, void*) {
  if (!wanted.Match(ModulePath(*info))) return 0;
  const Span sealed = SealedBy(*info);
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0)
      PinSegment(SpanOf(*info, segment), sealed);
  }
  return 0;
}

int CountChanges(dl_phdr_info* info, size_t, void* changes) {
  *static_cast<unsigned long long*>(changes) = info->dlpi_adds + info->dlpi_subs;
  return 1;
}

}  // namespace

void StartPinningData(const ModulePatterns& patterns) {
  wanted = patterns;
  NoticeModules();
}

// All over again, since an unloaded module leaves no trace but the count.
void NoticeModules() {
  if (wanted.empty() || &dl_iterate_phdr == nullptr) return;
  unsigned long long changes = 0;
  dl_iterate_phdr(CountChanges, &changes);
  if (__atomic_exchange_n(&seen_changes, changes, __ATOMIC_ACQ_REL) == changes) return;
  UnpinSource(PinSource::kData);
  dl_iterate_phdr(PinModule, nullptr);
}

}  // namespace pagewarden
