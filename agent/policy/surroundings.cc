// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/surroundings.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/cgroup/classify.h"
#include "agent/proc/read_file.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxSmallFile = 64 << 10;
constexpr size_t kMaxPods = 4096;  // the kubelet's own default is 110
constexpr size_t kMaxVolumes = 64;

std::vector<std::string> NamesIn(const std::string& directory, size_t max) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  while (!error && entries != fs::directory_iterator() && names.size() < max) {
    names.push_back(entries->path().filename().string());
    entries.increment(error);
  }
  return names;
}

std::optional<std::map<std::string, std::string>> ReadLabels(const std::string& volumes) {
  for (const char* plugin : {"kubernetes.io~downward-api", "kubernetes.io~projected"}) {
    const std::string directory = absl::StrCat(volumes, "/", plugin);
    for (const std::string& volume : NamesIn(directory, kMaxVolumes)) {
      const auto text =
          ReadBoundedFile(absl::StrCat(directory, "/", volume, "/labels"), kMaxSmallFile);
      if (text.ok()) return ParsePodLabels(*text);
    }
  }
  return std::nullopt;
}

}  // namespace

std::map<std::string, std::string> ParsePodLabels(absl::string_view text) {
  std::map<std::string, std::string> labels;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    absl::string_view quoted = parts.second;
    std::string value;
    if (absl::ConsumePrefix(&quoted, "\"") && absl::ConsumeSuffix(&quoted, "\"") &&
        absl::CUnescape(quoted, &value)) {
      labels[std::string(parts.first)] = value;
    }
  }
  return labels;
}

PodTable PodTable::Read(const std::string& root) {
  PodTable table;
  for (const std::string& name : NamesIn(absl::StrCat(root, "/var/log/pods"), kMaxPods)) {
    // None of the three can hold an underscore.
    const std::vector<std::string> parts = absl::StrSplit(name, '_');
    if (parts.size() != 3) continue;
    const std::string volumes = absl::StrCat(root, "/var/lib/kubelet/pods/", parts[2], "/volumes");
    table.pods_[parts[2]] = {parts[0], parts[1], ReadLabels(volumes)};
  }
  return table;
}

const PodFacts* PodTable::Find(const std::string& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second;
}

Surroundings FactsOfCgroup(const std::string& cgroup, const PodTable& pods) {
  Surroundings facts;
  facts.cgroup = cgroup;
  const PodFacts* pod = pods.Find(ClassifyCgroup(cgroup).pod);
  if (pod != nullptr) facts.pod = *pod;
  return facts;
}

Surroundings ReadSurroundings(pid_t pid, const CgroupHierarchy& hierarchy, const PodTable& pods) {
  const absl::StatusOr<std::string> cgroup = hierarchy.PathOf(pid);
  Surroundings facts = cgroup.ok() ? FactsOfCgroup(*cgroup, pods) : Surroundings();
  facts.executable = ReadExe(pid);
  return facts;
}

Surroundings ReadOwnSurroundings() {
  const absl::StatusOr<CgroupHierarchy> hierarchy = CgroupHierarchy::Find();
  if (!hierarchy.ok()) return {};
  Surroundings facts = ReadSurroundings(getpid(), *hierarchy, PodTable::Read());
  facts.executable.clear();
  return facts;
}

HostIdentity ReadHostIdentity(const std::string& root) {
  HostIdentity host;
  const auto id = ReadBoundedFile(absl::StrCat(root, "/etc/machine-id"), kMaxSmallFile);
  if (id.ok()) host.machine_id = std::string(absl::StripAsciiWhitespace(*id));
  host.today = absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  return host;
}

}  // namespace pagewarden
