// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/shim_findings.h"

#include "absl/strings/str_cat.h"
#include "agent/reasons/amounts.h"

namespace pagewarden {
namespace {

constexpr char kNothingFenced[] = "nothing is fenced";

Finding WithEffect(FindingCode code, const std::string& subject, std::string headline,
                   std::string effect) {
  Finding finding = MakeFinding(code, subject, std::move(headline));
  finding.effect = std::move(effect);
  return finding;
}

}  // namespace

Finding SecureExecutionFinding(const std::string& subject, const std::string& reason) {
  return WithEffect(FindingCode::kSecureExecution, subject,
                    absl::StrCat("runs in secure-execution mode, as ", reason,
                                 ", and the loader ignores LD_PRELOAD"),
                    kNothingFenced);
}

Finding OtherMachineFinding(const std::string& subject, const ElfSummary& elf) {
  return WithEffect(FindingCode::kShimNotLoadable, subject,
                    absl::StrCat("is for another machine (", elf.is_64_bit ? "64" : "32",
                                 " bit), and the loader refuses the shim"),
                    kNothingFenced);
}

Finding StaticFinding(const std::string& subject, const ElfSummary& elf) {
  return WithEffect(FindingCode::kStaticProgram, subject,
                    absl::StrCat("is a static ", elf.is_go ? "Go " : "",
                                 "executable, and nothing can be preloaded into it"),
                    kNothingFenced);
}

Finding PolicyLimitFinding(const std::string& subject, uint64_t needed, bool may_grow,
                           const MemlockLimits& limits) {
  return WithEffect(
      FindingCode::kHardLimit, subject,
      absl::StrCat("locks ", may_grow ? "at its start " : "up to ", Amount(needed),
                   " in each process by its policy, but the hard limit RLIMIT_MEMLOCK is ",
                   LimitAmount(limits.hard)),
      absl::StrCat("what does not fit stays unlocked",
                   may_grow ? ", and growth stops at the limit" : ""));
}

Finding SecretMemoryFinding(const std::string& arena, bool has_other_backing) {
  return WithEffect(
      FindingCode::kNoSecretMemory, absl::StrCat("the arena ", arena),
      "asks for SecretMemory, which this kernel does not offer (memfd_secret(2): "
      "ENOSYS)",
      has_other_backing ? "it is locked anonymous memory instead" : "it stays unlocked");
}

}  // namespace pagewarden
