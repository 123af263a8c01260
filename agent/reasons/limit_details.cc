// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>

#include "absl/strings/str_cat.h"
#include "agent/reasons/amounts.h"
#include "agent/reasons/comparison.h"

namespace pagewarden {
namespace {

constexpr uint64_t kKernelDefault = 8 << 20;      // MLOCK_LIMIT since 5.16, and systemd's
constexpr uint64_t kOldKernelDefault = 64 << 10;  // MLOCK_LIMIT before

bool Has(uint64_t set, int capability) { return ((set >> capability) & 1) != 0; }

bool SoftBelowHard(const Attempt& attempt) {
  return !attempt.hard_limit_bytes || *attempt.soft_limit_bytes < *attempt.hard_limit_bytes;
}

bool CapInUserNs(const Attempt& attempt) {
  return !attempt.in_initial_user_ns && Has(attempt.cap_effective, CAP_IPC_LOCK);
}

// Every login session has the capability in its bounding set. A set without
// CAP_SYS_ADMIN was made by hand, by a container's runtime or a unit file.
bool CapNotEffective(const Attempt& attempt) {
  if (Has(attempt.cap_effective, CAP_IPC_LOCK)) return false;
  const bool given =
      Has(attempt.cap_bounding, CAP_IPC_LOCK) && !Has(attempt.cap_bounding, CAP_SYS_ADMIN);
  return Has(attempt.cap_permitted, CAP_IPC_LOCK) || given;
}

bool LimitBelowPage(const Attempt& attempt) {
  return *attempt.soft_limit_bytes > 0 && *attempt.soft_limit_bytes < attempt.page_bytes;
}

uint64_t DriftBytes(const Attempt& attempt) {
  if (!attempt.locked_mappings_bytes || *attempt.locked_mappings_bytes >= attempt.locked_bytes) {
    return 0;
  }
  return attempt.locked_bytes - *attempt.locked_mappings_bytes;
}

// Only where the drift decided: without it the request would have fitted.
bool Drift(const Attempt& attempt, const Comparison& comparison) {
  const uint64_t drift = DriftBytes(attempt);
  if (drift == 0 || absl::string_view(comparison.counter) != "VmLck") return false;
  Attempt without = attempt;
  without.locked_bytes -= drift;
  return !Compare(without).over;
}

bool IsPowerOfTwo(uint64_t number) { return number != 0 && (number & (number - 1)) == 0; }

// 100000, 64000: two digits at most, and then three zeros or more.
bool IsRoundDecimal(uint64_t number) {
  if (number % 1000 != 0) return false;
  while (number % 10 == 0) number /= 10;
  return number < 100;
}

// What people write where KiB are meant. From the default on, bytes are as likely.
bool LooksLikeKib(uint64_t limit) {
  if (limit < 16 || limit >= kKernelDefault) return false;
  return IsPowerOfTwo(limit) || IsRoundDecimal(limit);
}

// A limit of some MiB may be meant as it is, unless what is needed is far beyond it.
bool Unit(const Attempt& attempt, const Comparison& comparison) {
  const uint64_t limit = *attempt.soft_limit_bytes;
  if (!LooksLikeKib(limit) || comparison.needed_bytes > limit * 1024) return false;
  return limit <= kOldKernelDefault || comparison.needed_bytes / 4 >= limit;
}

std::string DescribeUnit(uint64_t limit) {
  std::string text =
      absl::StrCat("; the limit looks like KiB written where bytes are meant: ", limit,
                   " KiB would be ", limit * 1024, " bytes and enough");
  if (limit == kOldKernelDefault) {
    absl::StrAppend(&text, " (it is also the default of kernels before 5.16)");
  }
  return text;
}

std::string DescribeHard(const Attempt& attempt) {
  return absl::StrCat("; the hard limit is ", LimitAmount(attempt.hard_limit_bytes),
                      ", and the process may raise its soft limit up to it");
}

std::string Describe(const Attempt& attempt, LimitDetail detail) {
  switch (detail) {
    case LimitDetail::kSoftBelowHard:
      return DescribeHard(attempt);
    case LimitDetail::kCapInUserNs:
      return "; it has CAP_IPC_LOCK only in a user namespace, where it does not count";
    case LimitDetail::kCapNotEffective:
      return "; CAP_IPC_LOCK was given to it, but is not in its effective set";
    case LimitDetail::kLimitBelowPage:
      return absl::StrCat("; a limit below one page of ", Amount(attempt.page_bytes),
                          " allows nothing");
    case LimitDetail::kDrift:
      return absl::StrCat("; VmLck counts ", Amount(DriftBytes(attempt)),
                          " that no mapping has locked any more, a kernel bug of "
                          "mremap(MREMAP_DONTUNMAP), and without them it would fit");
    case LimitDetail::kUnit:
      return DescribeUnit(*attempt.soft_limit_bytes);
  }
  return "";
}

}  // namespace

std::vector<LimitDetail> LimitDetails(const Attempt& attempt, const Comparison& comparison) {
  std::vector<LimitDetail> details;
  if (!attempt.soft_limit_bytes) return details;
  if (SoftBelowHard(attempt)) details.push_back(LimitDetail::kSoftBelowHard);
  if (comparison.capability_helps) {
    if (CapInUserNs(attempt)) details.push_back(LimitDetail::kCapInUserNs);
    if (CapNotEffective(attempt)) details.push_back(LimitDetail::kCapNotEffective);
  }
  if (LimitBelowPage(attempt)) details.push_back(LimitDetail::kLimitBelowPage);
  if (Drift(attempt, comparison)) details.push_back(LimitDetail::kDrift);
  if (Unit(attempt, comparison)) details.push_back(LimitDetail::kUnit);
  return details;
}

std::string DescribeDetails(const Attempt& attempt, const std::vector<LimitDetail>& details) {
  std::string text;
  for (const LimitDetail detail : details) absl::StrAppend(&text, Describe(attempt, detail));
  return text;
}

}  // namespace pagewarden
