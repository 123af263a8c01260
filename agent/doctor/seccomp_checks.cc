// SPDX-License-Identifier: Apache-2.0
// What a seccomp filter makes of the calls that lock (seccomp(2)).
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/doctor/checks.h"

namespace pagewarden {
namespace {

constexpr char kSecretMemoryCall[] = "memfd_secret";

std::vector<std::string> CallsWith(const FilterProbe& probe, FilterAnswer answer) {
  std::vector<std::string> names;
  for (const ProbedCall& call : probe.calls) {
    if (call.answer == answer && call.name != kSecretMemoryCall) names.push_back(call.name);
  }
  return names;
}

std::vector<Fix> SeccompFixes(const Case& subject) {
  const Environment& environment = subject.environment;
  switch (environment.kind) {
    case EnvironmentKind::kService:
      return {UnitDropIn(environment, "50-memlock-calls.conf", "SystemCallFilter=@memlock\n",
                         "for the unit: adds to its list of allowed calls")};
    case EnvironmentKind::kDocker:
    case EnvironmentKind::kPodman:
      return {{"in the profile of the container, beside the other names",
               "profile.json",
               "{\"names\": [\"mlock\", \"mlock2\", \"mlockall\", \"munlock\", \"munlockall\"], "
               "\"action\": \"SCMP_ACT_ALLOW\"}\n",
               {absl::StrCat(environment.kind == EnvironmentKind::kDocker ? "docker" : "podman",
                             " run --security-opt seccomp=profile.json …")}}};
    case EnvironmentKind::kContainerd:
    case EnvironmentKind::kCrio:
      return {{"of the container: the runtime's profile allows them",
               "pod.yaml",
               "      securityContext:\n        seccompProfile: {type: RuntimeDefault}\n",
               {}}};
    default:
      return {
          {"whoever installs the filter has to allow mlock, mlock2, mlockall, munlock, "
           "munlockall",
           "",
           "",
           {}}};
  }
}

Finding OfFilter(const Case& subject, FindingCode code, std::string headline) {
  Finding finding = FindingOf(subject, code, std::move(headline));
  finding.reason = ReasonCode(Reason::kSeccomp);
  finding.fixes = SeccompFixes(subject);
  return finding;
}

std::string RefusalName(const FilterProbe& probe) {
  for (const ProbedCall& call : probe.calls) {
    if (call.answer != FilterAnswer::kRefused || call.name == kSecretMemoryCall) continue;
    const char* name = strerrorname_np(call.error);
    return name == nullptr ? absl::StrCat("error ", call.error) : name;
  }
  return "";
}

Findings OfProbe(const Case& subject, const FilterProbe& probe) {
  Findings findings;
  const auto refused = CallsWith(probe, FilterAnswer::kRefused);
  if (!refused.empty()) {
    findings.push_back(OfFilter(subject, FindingCode::kSeccompErrno,
                                absl::StrCat("is refused ", absl::StrJoin(refused, ", "), " (",
                                             RefusalName(probe), ") by its seccomp filter")));
  }
  const auto killed = CallsWith(probe, FilterAnswer::kKilled);
  if (!killed.empty()) {
    findings.push_back(OfFilter(
        subject, FindingCode::kSeccompKill,
        absl::StrCat("is killed by its seccomp filter for ", absl::StrJoin(killed, ", "))));
    findings.back().effect = "under the shim it dies at its start";
  }
  return findings;
}

}  // namespace

Findings CheckSeccomp(const Case& subject) {
  if (subject.facts.seccomp_mode == 0) return {};
  if (subject.filter) return OfProbe(subject, *subject.filter);
  if (subject.facts.seccomp_mode != 2 || subject.facts.locked_bytes > 0) return {};
  Finding finding =
      OfFilter(subject, FindingCode::kSeccompErrno,
               "runs under a seccomp filter, and what that allows cannot be read from outside");
  finding.severity = Severity::kInfo;
  finding.effect = "if it refuses mlock, locking fails with EPERM whatever the limit";
  finding.check = absl::StrCat("grep Seccomp /proc/", subject.facts.pid, "/status");
  return {finding};
}

}  // namespace pagewarden
