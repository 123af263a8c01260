// SPDX-License-Identifier: Apache-2.0
#include "preload/namespaces.h"

#include <stdint.h>

#include "preload/ledger.h"
#include "preload/macros.h"

extern "C" {
PW_HIDDEN uint64_t pw_namespaces = 0;
}

namespace pagewarden {

void CountNamespace() { Count(pw_namespaces); }

}  // namespace pagewarden
