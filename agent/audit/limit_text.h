// SPDX-License-Identifier: Apache-2.0
// A limit as people meet it: setrlimit(2), /proc and systemd count bytes, `ulimit -l` and
// limits.conf KiB. Both are shown, always.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/audit/process_row.h"

namespace pagewarden {

// "8388608 B (8192 KiB)"; KiB rounded down, as `ulimit -l` prints them.
std::string BytesAndKib(uint64_t bytes);

// BytesAndKib, or "unlimited".
std::string LimitText(std::optional<uint64_t> bytes);

// "65536 B (64 KiB), hard 1048576 B (1024 KiB)"; one figure where both are the same.
std::string SoftAndHard(std::optional<uint64_t> soft, std::optional<uint64_t> hard);

// Whether and how CAP_IPC_LOCK lifts the limit.
enum class IpcLock {
  kNone,           // neither permitted nor effective
  kEffective,      // the limit does not bind
  kUserNamespace,  // effective, but only in a user namespace: the limit binds
  kPermitted,      // permitted, not effective: binds until the process raises it itself
};
IpcLock IpcLockOf(const ProcessRow& row);
// "none", "effective", "userNamespace", "permitted": words of the JSON.
const char* IpcLockName(IpcLock state);

// Who may raise the soft limit (setrlimit(2), prlimit(2)).
enum class MayRaise {
  kNobodyNeedsTo,  // it is unlimited
  kSelfToHard,     // the process, up to its hard limit
  kSelf,           // the process, without bound: CAP_SYS_RESOURCE in the initial namespace
  kPrivileged,     // another process with CAP_SYS_RESOURCE
  kOutside,        // likewise, and from outside the user namespace it is in
};
MayRaise MayRaiseOf(const ProcessRow& row);
// "unlimited", "selfToHard", "self", "privileged", "outside": words of the JSON.
const char* MayRaiseName(MayRaise who);

}  // namespace pagewarden
