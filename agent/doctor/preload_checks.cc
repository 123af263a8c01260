// SPDX-License-Identifier: Apache-2.0
// Whether the loader maps the shim; for a running process that was told to preload
// it, why it did not.
#include "absl/strings/str_cat.h"
#include "agent/doctor/checks.h"
#include "agent/doctor/preloaded_shim.h"
#include "agent/doctor/shim_findings.h"

namespace pagewarden {
namespace {

Finding Complete(const Case& subject, Finding finding) {
  if (subject.IsRunning()) finding.pids = {subject.facts.pid};
  finding.where = subject.where;
  finding.check = subject.check;
  return finding;
}

Finding NotMapped(const Case& subject, const std::string& reason) {
  Finding finding =
      FindingOf(subject, FindingCode::kShimNotLoadable,
                absl::StrCat("was to preload the shim, and has it not: ",
                             reason.empty() ? "the loader says why on its stderr" : reason));
  finding.effect = "nothing is fenced";
  const std::string library =
      subject.shim_path.empty() ? kShimFileName : ShellQuote(subject.shim_path);
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
  const std::string library = PreloadedShim(facts.preload);
  if (library.empty()) return {};
  return {NotMapped(subject, WhyNotMapped(absl::StrCat("/proc/", facts.pid, "/root"), library))};
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
