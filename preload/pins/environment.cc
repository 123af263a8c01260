// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/environment.h"

#include "preload/base/environment.h"
#include "preload/base/mem.h"
#include "preload/pins/pins.h"

namespace pagewarden {

// The texts lie between the random bytes below and the file name above (Linux,
// create_elf_tables). The stack goes on growing below them, in a mapping that is not
// locked: a locked one counts its growth against the limit, and ends in SIGSEGV there.
void PinEnvironment() {
  const AuxiliaryVector auxv = ReadAuxiliaryVector();
  if (auxv.stack_top == 0 || auxv.file == nullptr) return;
  const auto end = reinterpret_cast<uint64_t>(auxv.file) + Length(auxv.file) + 1;
  if (end > auxv.stack_top) Pin(auxv.stack_top, end, PinSource::kEnvironment);
}

}  // namespace pagewarden
