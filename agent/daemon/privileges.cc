// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/privileges.h"

#include <sys/capability.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "agent/base/files.h"

namespace pagewarden {
namespace {

struct Need {
  cap_value_t capability;
  const char* name;
  const char* loss;
};

// The numbers of CAP_PERFMON and CAP_BPF are in linux/capability.h since 5.8.
constexpr Need kNeeds[] = {
    {CAP_BPF, "CAP_BPF", "no events, no peaks between audits; processes are read from /proc"},
    {CAP_PERFMON, "CAP_PERFMON",
     "no events, no peaks between audits; processes are read from /proc"},
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE",
     "of other users' processes: no executable (policies do not find them), no shim state, no "
     "verification of secrets"},
    {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH",
     "secret files that only another user can read are not verified"},
};

struct FreeCapabilities {
  void operator()(cap_t caps) const { cap_free(caps); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

bool Has(cap_t caps, cap_value_t capability, cap_flag_t flag) {
  cap_flag_value_t value = CAP_CLEAR;
  return cap_get_flag(caps, capability, flag, &value) == 0 && value == CAP_SET;
}

bool IsNeeded(cap_value_t capability) {
  return std::any_of(std::begin(kNeeds), std::end(kNeeds),
                     [=](const Need& need) { return need.capability == capability; });
}

// Needs CAP_SETPCAP. Without it no_new_privs has to do.
bool DropBounding() {
  bool all = true;
  for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); ++capability) {
    if (IsNeeded(capability) || cap_get_bound(capability) == 0) continue;
    all &= cap_drop_bound(capability) == 0;
  }
  return all;
}

absl::Status Keep(const std::vector<cap_value_t>& kept) {
  const Capabilities caps(cap_init());
  if (!caps) return ErrnoStatus(errno, "capabilities");
  for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE}) {
    if (!kept.empty() &&
        cap_set_flag(caps.get(), flag, static_cast<int>(kept.size()), kept.data(), CAP_SET) != 0) {
      return ErrnoStatus(errno, "capabilities");
    }
  }
  if (cap_set_proc(caps.get()) != 0) return ErrnoStatus(errno, "capabilities");
  return absl::OkStatus();
}

}  // namespace

std::string LossWithout(const std::string& capability) {
  for (const Need& need : kNeeds) {
    if (capability == need.name) return need.loss;
  }
  return "";
}

absl::StatusOr<AgentPrivileges> DropPrivileges() {
  const Capabilities now(cap_get_proc());
  if (!now) return ErrnoStatus(errno, "capabilities");
  AgentPrivileges result;
  std::vector<cap_value_t> kept;
  for (const Need& need : kNeeds) {
    const bool has = Has(now.get(), need.capability, CAP_PERMITTED);
    (has ? result.kept : result.missing).emplace_back(need.name);
    if (has) kept.push_back(need.capability);
  }
  result.no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  cap_reset_ambient();  // fails on kernels that have none
  result.bounded = DropBounding();
  if (absl::Status status = Keep(kept); !status.ok()) return status;
  return result;
}

}  // namespace pagewarden
