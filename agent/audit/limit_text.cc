// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/limit_text.h"

#include <linux/capability.h>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

bool Has(uint64_t capabilities, int capability) { return ((capabilities >> capability) & 1) != 0; }

}  // namespace

std::string BytesAndKib(uint64_t bytes) {
  return absl::StrCat(bytes, " B (", bytes / 1024, " KiB)");
}

std::string LimitText(std::optional<uint64_t> bytes) {
  return bytes ? BytesAndKib(*bytes) : "unlimited";
}

std::string SoftAndHard(std::optional<uint64_t> soft, std::optional<uint64_t> hard) {
  if (soft == hard) return LimitText(soft);
  return absl::StrCat(LimitText(soft), ", hard ", LimitText(hard));
}

IpcLock IpcLockOf(const ProcessRow& row) {
  if (row.cap_ipc_lock) return IpcLock::kEffective;
  if (Has(row.cap_effective, CAP_IPC_LOCK)) return IpcLock::kUserNamespace;
  const bool permitted = Has(row.cap_permitted, CAP_IPC_LOCK) && row.in_initial_user_ns;
  return permitted ? IpcLock::kPermitted : IpcLock::kNone;
}

const char* IpcLockName(IpcLock state) {
  switch (state) {
    case IpcLock::kEffective:
      return "effective";
    case IpcLock::kUserNamespace:
      return "userNamespace";
    case IpcLock::kPermitted:
      return "permitted";
    case IpcLock::kNone:
      break;
  }
  return "none";
}

MayRaise MayRaiseOf(const ProcessRow& row) {
  if (!row.soft_limit_bytes) return MayRaise::kNobodyNeedsTo;
  if (row.in_initial_user_ns && Has(row.cap_effective, CAP_SYS_RESOURCE)) return MayRaise::kSelf;
  if (!row.hard_limit_bytes || *row.soft_limit_bytes < *row.hard_limit_bytes) {
    return MayRaise::kSelfToHard;
  }
  return row.in_initial_user_ns ? MayRaise::kPrivileged : MayRaise::kOutside;
}

const char* MayRaiseName(MayRaise who) {
  switch (who) {
    case MayRaise::kNobodyNeedsTo:
      return "unlimited";
    case MayRaise::kSelfToHard:
      return "selfToHard";
    case MayRaise::kSelf:
      return "self";
    case MayRaise::kPrivileged:
      return "privileged";
    case MayRaise::kOutside:
      break;
  }
  return "outside";
}

}  // namespace pagewarden
