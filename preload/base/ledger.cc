// SPDX-License-Identifier: Apache-2.0
#include "preload/base/ledger.h"

namespace pagewarden {

// A page of its own: the sealed page beside it turns read-only.
__attribute__((section("pw_ledger"))) abi::Ledger ledger = {
    .magic = {'P', 'W', 'L', 'E', 'D', 'G', 'E', 'R'},
    .version = abi::kLedgerVersion,
    .bytes = sizeof(abi::Ledger),
    .self = 0,
    .pid = 0,
    .state = abi::ShimState::kStarting,
    .uncovered = abi::Uncovered::kNone,
    .mode = 0,
    .policy = {},
    .fence_base = 0,
    .fence_bytes = 0,
    .relocks = 0,
    .lock_errors = 0,
    .lock_errno = 0,
    .arena_count = 0,
    .scopes_bound = 0,
    .namespaces = 0,
    .reentered_frees = 0,
    .violations = {},
    .tags_base = 0,
    .books_base = 0,
    .tag_count = 0,
    .rule_count = 0,
    .book_rows = 0,
    .scopes_in_executable = 0,
    .pinned_bytes = 0,
    .unpinned_bytes = 0,
    .pin_errors = 0,
    .pin_errno = 0,
    .files_missed = 0,
    .follows = abi::Follows::kNothing,
    .generation = 0,
    .rules_waiting = 0,
    .images_refused = 0,
    .arenas = {},
};

void SetState(abi::ShimState state, abi::Uncovered reason) {
  ledger.uncovered = reason;
  __atomic_store(&ledger.state, &state, __ATOMIC_RELEASE);
}

void CountLockError(long result) {
  Count(ledger.lock_errors);
  __atomic_store_n(&ledger.lock_errno, static_cast<uint32_t>(-result), __ATOMIC_RELAXED);
}

}  // namespace pagewarden
