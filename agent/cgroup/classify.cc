// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup/classify.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/cgroup/containers.h"

namespace pagewarden {
namespace {

constexpr size_t kShownIdLength = 12;

std::string UnitKind(absl::string_view component) {
  for (absl::string_view kind : {"slice", "service", "scope"}) {
    absl::string_view stem = component;
    if (absl::ConsumeSuffix(&stem, kind) && absl::ConsumeSuffix(&stem, ".") && !stem.empty()) {
      return std::string(kind);
    }
  }
  return "";
}

// What is between `prefix` and `suffix`, or empty.
absl::string_view Between(absl::string_view text, absl::string_view prefix,
                          absl::string_view suffix) {
  const bool both = absl::ConsumePrefix(&text, prefix) && absl::ConsumeSuffix(&text, suffix);
  return both ? text : "";
}
// Not inside a container: its uids and sessions are its own.
void AddLogin(absl::string_view component, CgroupIdentity& identity) {
  uint32_t uid = 0;
  if (absl::SimpleAtoi(Between(component, "user-", ".slice"), &uid) ||
      absl::SimpleAtoi(Between(component, "user@", ".service"), &uid)) {
    identity.user = uid;
  }
  const absl::string_view session = Between(component, "session-", ".scope");
  if (!session.empty()) identity.session = std::string(session);
}

void Enter(ContainerName name, CgroupIdentity& identity) {
  identity.container = std::move(name.id);
  identity.runtime = std::move(name.runtime);
}

void Enter(PodName name, absl::string_view parent, CgroupIdentity& identity) {
  if (name.qos.empty() && (parent == "burstable" || parent == "besteffort")) {
    name.qos = std::string(parent);
  }
  if (name.qos.empty() && parent == "kubepods") name.qos = "guaranteed";
  identity.pod = std::move(name.uid);
  identity.qos = std::move(name.qos);
}

// The kind of the component, whose meaning is added to `identity`.
std::string Classify(absl::string_view component, absl::string_view parent, bool below_pod,
                     CgroupIdentity& identity) {
  if (identity.container.empty() && identity.machine.empty()) AddLogin(component, identity);
  ContainerName container = ContainerOf(component, parent, below_pod);
  PodName pod = PodOf(component);
  std::string machine = MachineOf(component);
  std::string kind = UnitKind(component);
  if (kind.empty()) kind = "cgroup";
  if (!machine.empty()) kind = "machine";
  if (!pod.uid.empty()) kind = "pod";
  if (!container.id.empty()) kind = "container";

  if (!machine.empty()) identity.machine = std::move(machine);
  if (!pod.uid.empty()) Enter(std::move(pod), parent, identity);
  if (!container.id.empty()) Enter(std::move(container), identity);
  return kind;
}

}  // namespace

CgroupIdentity ClassifyCgroup(absl::string_view path) {
  CgroupIdentity identity;
  identity.kind = "root";
  absl::string_view parent;
  for (absl::string_view component : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    identity.kind = Classify(component, parent, identity.kind == "pod", identity);
    parent = component;
  }
  if (!UnitKind(parent).empty()) identity.unit = std::string(parent);
  return identity;
}

std::string ShortCgroupPath(absl::string_view path) {
  std::string result(path);
  size_t digits = 0;
  for (size_t i = 0; i <= result.size(); ++i) {
    if (i < result.size() && absl::ascii_isxdigit(static_cast<unsigned char>(result[i]))) {
      ++digits;
      continue;
    }
    if (IsContainerId(absl::string_view(result).substr(i - digits, digits))) {
      result.erase(i - digits + kShownIdLength, digits - kShownIdLength);
      i -= digits - kShownIdLength;
    }
    digits = 0;
  }
  return result;
}

}  // namespace pagewarden
