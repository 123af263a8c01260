// SPDX-License-Identifier: Apache-2.0
// What executing the file does: to capabilities, to the loader, to the shim.
#include <linux/capability.h>

#include "absl/strings/str_cat.h"
#include "agent/doctor/checks.h"
#include "agent/doctor/protections.h"
#include "agent/doctor/shim_findings.h"
#include "agent/run/secure_exec.h"

namespace pagewarden {
namespace {

CallerIdentity IdentityOf(const ProcessFacts& facts) {
  return {facts.real_uid, facts.uid, facts.real_gid, facts.gid, facts.no_new_privs};
}

// execve refuses a file whose effective capabilities it cannot give (bprm_caps_from_vfs_caps).
bool ExecIsRefused(const Case& subject) {
  const FileCapabilities& file = subject.executable.capabilities;
  return !subject.IsRunning() && file.effective && !subject.executable.privileges.on_nosuid_mount &&
         !subject.facts.no_new_privs && (file.permitted & ~subject.facts.cap_bounding) != 0;
}

Finding ExecRefused(const Case& subject) {
  const bool ipc_lock =
      HasIpcLock(subject.executable.capabilities.permitted & ~subject.facts.cap_bounding);
  Finding finding = FindingOf(
      subject, FindingCode::kExecRefused,
      absl::StrCat("cannot be executed: it has ", ipc_lock ? "cap_ipc_lock" : "capabilities",
                   "=ep, which the bounding set of its caller lacks"));
  finding.effect = "a shell says \"Operation not permitted\" and exits with 126";
  finding.fixes = {{"take the capability off the file, as root",
                    "",
                    "",
                    {absl::StrCat("setcap -r ", ShellQuote(subject.executable.path))}}};
  if (subject.environment.kind == EnvironmentKind::kDocker) {
    finding.fixes.push_back(
        {"or let the container have it", "", "", {"docker run --cap-add=IPC_LOCK …"}});
  }
  return finding;
}

Fix AmbientFix(const Case& subject) {
  if (subject.environment.kind == EnvironmentKind::kService) {
    return UnitDropIn(subject.environment, "50-memlock.conf", "AmbientCapabilities=CAP_IPC_LOCK\n",
                      "and give the unit the capability as an ambient one");
  }
  const std::string command = subject.command.empty() ? "COMMAND" : subject.command;
  return {"and start it with the ambient capability, as root",
          "",
          "",
          {WithAmbientIpcLock(subject.environment, command)}};
}

// The loader takes a bare name from its own directories, if the library is setuid (ld.so(8)).
Fix InstalledShimFix(const Case& subject) {
  const std::string library = subject.shim_path.empty() ? "libpagewarden.so" : subject.shim_path;
  return {
      "install the shim for such programs (all users can then load it), allow them by "
      "`secureExec: Allow`, and preload it by its bare name",
      "",
      "",
      {absl::StrCat("install -m 4755 ", ShellQuote(library), " /usr/lib/x86_64-linux-gnu/"),
       "LD_PRELOAD=libpagewarden.so"}};
}

std::vector<Fix> SecureExecutionFixes(const Case& subject) {
  const FilePrivileges& file = subject.executable.privileges;
  if (file.has_capabilities) {
    return {{"take the capabilities off the file, as root",
             "",
             "",
             {absl::StrCat("setcap -r ", ShellQuote(subject.executable.path))}},
            AmbientFix(subject)};
  }
  return {InstalledShimFix(subject)};
}

Finding SecureExecution(const Case& subject, const std::string& reason) {
  Finding finding = SecureExecutionFinding(subject.name, reason);
  if (subject.facts.no_new_privs && subject.executable.privileges.has_capabilities) {
    finding = FindingOf(subject, FindingCode::kSecureExecutionNoNewPrivs,
                        "has file capabilities, and no_new_privs: neither capability nor shim");
  }
  if (subject.IsRunning()) finding.pids = {subject.facts.pid};
  finding.where = subject.where;
  finding.check = subject.check;
  finding.fixes = SecureExecutionFixes(subject);
  std::vector<Fix> fixes = std::move(finding.fixes);
  AddProtections(subject, finding);
  for (Fix& fix : finding.fixes) fixes.push_back(std::move(fix));
  finding.fixes = std::move(fixes);
  return finding;
}

std::string SecureReason(const Case& subject) {
  if (!subject.IsRunning()) {
    return SecureExecReason(subject.executable.privileges, IdentityOf(subject.facts));
  }
  if (subject.facts.shim_loaded || subject.facts.secure_execution != true) return "";
  const std::string reason = WhyPrivileged(subject.executable.privileges);
  return reason.empty() ? "AT_SECURE is set" : reason;
}

bool IsStatic(const ExecutableFacts& executable) {
  return executable.elf && executable.elf->is_host_machine && !executable.elf->has_interpreter;
}

}  // namespace

Findings CheckExec(const Case& subject) {
  if (ExecIsRefused(subject)) return {ExecRefused(subject)};
  if (IsStatic(subject.executable)) {
    Finding finding = StaticFinding(subject.name, *subject.executable.elf);
    if (subject.IsRunning()) finding.pids = {subject.facts.pid};
    finding.where = subject.where;
    finding.check = subject.check;
    AddProtections(subject, finding);
    if (!SwapsInClear(subject) && !DumpsCore(subject)) finding.severity = Severity::kInfo;
    return {finding};
  }
  const std::string reason = SecureReason(subject);
  if (reason.empty()) return {};
  return {SecureExecution(subject, reason)};
}

}  // namespace pagewarden
