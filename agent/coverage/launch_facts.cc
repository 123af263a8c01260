// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/launch_facts.h"

#include <sys/stat.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/doctor/exec_texts.h"
#include "agent/doctor/preloaded_shim.h"
#include "agent/proc/read_file.h"
#include "agent/units/unit_start.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;
constexpr size_t kMaxEnvironmentBytes = 6 << 20;  // three quarters of _STK_LIM: execve(2)
constexpr size_t kMaxExecutables = 4096;

// Followed within the process's root, which may hold what links it likes: a regular file.
void ReadSystemPreload(const std::string& root, LaunchFacts& facts) {
  const std::string path = absl::StrCat(root, "/etc/ld.so.preload");
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
  facts.system_preload = PreloadedShim(ReadBoundedFile(path, kMaxTextBytes).value_or(""));
  facts.system_preload_since = absl::TimeFromTimespec(info.st_ctim);
}

bool IsPrepared(const Environment& environment) {
  if (environment.kind != EnvironmentKind::kService) return false;
  const absl::StatusOr<UnitStart> start = ReadUnitStart(environment.name);
  return start.ok() && absl::EndsWith(start->executable, "/pagewarden");
}

}  // namespace

std::shared_ptr<const ExecutableFacts> ExecutableCache::Read(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return std::make_shared<const ExecutableFacts>(ReadExecutableFacts(path));
  }
  const Key key{info.st_dev, info.st_ino, info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
  if (known_.size() >= kMaxExecutables) known_.clear();
  std::shared_ptr<const ExecutableFacts>& facts = known_[key];
  if (facts == nullptr) facts = std::make_shared<const ExecutableFacts>(ReadExecutableFacts(path));
  return facts;
}

LaunchFacts ReadLaunchFacts(const ProcessRow& row, ExecutableCache& executables) {
  const std::string process = absl::StrCat("/proc/", row.pid);
  const std::string root = absl::StrCat(process, "/root");
  LaunchFacts facts;
  facts.executable = executables.Read(absl::StrCat(process, "/exe"));
  const auto auxv = ReadBoundedFile(absl::StrCat(process, "/auxv"), kMaxTextBytes);
  if (auxv.ok()) facts.secure_execution = SecureExecutionOf(*auxv);
  const auto environment = ReadBoundedFile(absl::StrCat(process, "/environ"), kMaxEnvironmentBytes);
  if (environment.ok()) facts.preload = PreloadedShim(PreloadOf(*environment));
  ReadSystemPreload(root, facts);
  const std::string library =
      facts.preload.value_or("").empty() ? facts.system_preload : *facts.preload;
  if (!library.empty()) facts.why_not_mapped = WhyNotMapped(root, library);
  const auto cgroups = ReadBoundedFile(absl::StrCat(process, "/cgroup"), kMaxTextBytes);
  facts.environment = DetectEnvironment(
      ReadEnvironmentFacts(row.pid, cgroups.value_or(""), row.uid, row.in_initial_user_ns));
  facts.is_prepared = IsPrepared(facts.environment);
  return facts;
}

}  // namespace pagewarden
