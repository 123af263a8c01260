// SPDX-License-Identifier: Apache-2.0
// Whether the loader maps the shim; for a running process that was told to preload
// it, why it did not.
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/audit/text.h"
#include "agent/doctor/checks.h"
#include "agent/doctor/shim_findings.h"

namespace pagewarden {
namespace {

constexpr char kShimName[] = "libpagewarden.so";

Finding Complete(const Case& subject, Finding finding) {
  if (subject.IsRunning()) finding.pids = {subject.facts.pid};
  finding.where = subject.where;
  finding.check = subject.check;
  return finding;
}

// Why the loader could not map `library`, in the root that `root` shows; empty: no reason found.
std::string WhyNotMapped(const std::string& root, const std::string& library) {
  const std::string path = absl::StrCat(root, library);
  if (access(path.c_str(), F_OK) != 0) {
    return absl::StrCat(Printable(library), " is not there in its mount namespace");
  }
  struct statvfs mount;
  if (statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0) {
    return absl::StrCat(Printable(library), " lies on a mount that is noexec");
  }
  return "";
}

Finding NotMapped(const Case& subject, const std::string& reason) {
  Finding finding =
      FindingOf(subject, FindingCode::kShimNotLoadable,
                absl::StrCat("was to preload the shim, and has it not: ",
                             reason.empty() ? "the loader says why on its stderr" : reason));
  finding.effect = "nothing is fenced";
  const std::string library = subject.shim_path.empty() ? kShimName : ShellQuote(subject.shim_path);
  finding.fixes = {
      {"install the shim where every process finds it; in a container, mount it "
       "there; then preload /usr/$LIB/libpagewarden.so",
       "",
       "",
       {absl::StrCat("install -m 755 ", library, " /usr/lib/x86_64-linux-gnu/")}}};
  return finding;
}

Findings OfRunning(const Case& subject) {
  const ProcessFacts& facts = subject.facts;
  if (facts.shim_loaded || facts.secure_execution == true) return {};
  if (!absl::StrContains(facts.preload, kShimName)) return {};
  const std::string root = absl::StrCat("/proc/", facts.pid, "/root");
  const std::vector<std::string> libraries =
      absl::StrSplit(facts.preload, absl::ByAnyChar(": "), absl::SkipEmpty());
  for (const std::string& library : libraries) {
    if (!absl::StrContains(library, kShimName)) continue;
    const bool by_path = absl::StartsWith(library, "/") && !absl::StrContains(library, "$");
    return {NotMapped(subject, by_path ? WhyNotMapped(root, library) : "")};
  }
  return {};
}

}  // namespace

Findings CheckPreload(const Case& subject) {
  const auto& elf = subject.executable.elf;
  if (elf && !elf->is_host_machine && !subject.facts.shim_loaded) {
    return {Complete(subject, OtherMachineFinding(subject.name, *elf))};
  }
  if (subject.IsRunning()) return OfRunning(subject);
  if (subject.shim_path.empty()) return {};
  const std::string reason = WhyNotMapped("", subject.shim_path);
  if (reason.empty()) return {};
  Finding finding = FindingOf(subject, FindingCode::kShimNotLoadable,
                              absl::StrCat("cannot have the shim: ", reason));
  finding.effect = "nothing is fenced";
  finding.fixes = NotMapped(subject, "").fixes;
  return {finding};
}

}  // namespace pagewarden
