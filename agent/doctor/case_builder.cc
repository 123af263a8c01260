// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/case_builder.h"

#include <linux/capability.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/doctor/need.h"
#include "agent/policy/surroundings.h"
#include "agent/reasons/amounts.h"
#include "agent/run/program.h"
#include "agent/units/unit_start.h"

namespace pagewarden {
namespace {

constexpr uint64_t kIpcLock = uint64_t{1} << CAP_IPC_LOCK;
constexpr uid_t kSomeUser = 1000;  // any that is not root

// Nothing that the shim would lock is asked for where it cannot be.
bool IsOutOfReach(const Case& subject) {
  const auto& elf = subject.executable.elf;
  if (subject.facts.shim_loaded) return false;
  if (elf && (!elf->is_host_machine || !elf->has_interpreter)) return true;
  return subject.IsRunning() && subject.facts.secure_execution == true;
}

void TakeNeed(Need need, Case& subject) {
  subject.need = std::move(need);
  if (!subject.need.asked_for && IsOutOfReach(subject)) subject.need.bytes = 0;
}

std::string NeedOption(const DoctorOptions& options) {
  return options.need_bytes ? absl::StrCat(" --need ", *options.need_bytes) : "";
}

void Detect(Case& subject) {
  const ProcessFacts& facts = subject.facts;
  subject.environment = DetectEnvironment(
      ReadEnvironmentFacts(facts.pid, facts.cgroup_text, facts.uid, facts.in_initial_user_ns));
  subject.environment.gid = facts.gid;
  subject.where = WhereOf(facts, subject.environment);
}

// What execve makes of the capabilities: file capabilities are added, unless the
// kernel ignores them.
void ApplyFileCapabilities(Case& subject) {
  ProcessFacts& facts = subject.facts;
  const FileCapabilities& file = subject.executable.capabilities;
  if (facts.no_new_privs || subject.executable.privileges.on_nosuid_mount) return;
  const uint64_t gained = file.permitted & facts.cap_bounding;
  facts.cap_permitted |= gained;
  if (file.effective) facts.cap_effective |= gained;
}

void ApplyUnitCapabilities(const UnitSettings& settings, ProcessFacts& facts) {
  facts.cap_bounding = settings.bounding;
  const uint64_t given = settings.IsRoot() ? settings.bounding : settings.ambient;
  facts.cap_effective = given & settings.bounding;
  facts.cap_permitted = facts.cap_effective;
}

ProcessFacts FactsOfUnit(const UnitSettings& settings, const HostFacts& host) {
  ProcessFacts facts;
  facts.comm = settings.command.empty() ? "" : settings.command.front();
  facts.uid = facts.real_uid = settings.IsRoot() ? 0 : kSomeUser;
  facts.gid = facts.real_gid = settings.IsRoot() ? 0 : kSomeUser;
  facts.limits = settings.memlock;
  facts.core.limit_bytes = settings.core_off ? 0 : 1;
  ApplyUnitCapabilities(settings, facts);
  facts.no_new_privs = settings.no_new_privs;
  facts.seccomp_mode = settings.filter ? 2 : 0;
  facts.in_initial_user_ns = !settings.private_users;
  facts.max_map_count = host.max_map_count;
  facts.memory.swap_off = settings.swap_off;
  facts.memory.swap_file = "MemorySwapMax=";
  if (settings.memory_max) {
    facts.memory.cgroup = "the unit's cgroup";
    facts.memory.limit_bytes = *settings.memory_max;
  }
  return facts;
}

std::string DescribeNeed(const Need& need) {
  if (need.bytes == 0) return "nothing more to lock";
  return absl::StrCat("to lock ", Amount(need.bytes),
                      need.policy.empty() ? "" : absl::StrCat(" by policy ", need.policy));
}

// Of an image it is not known.
Surroundings WhereUnitRuns(const std::string& unit, const DoctorOptions& options) {
  if (!options.root.empty()) return {};
  const absl::StatusOr<UnitStart> start = ReadUnitStart(unit);
  return start.ok() ? FactsOfCgroup(start->cgroup, PodTable::Read()) : Surroundings{};
}

}  // namespace

std::string DescribeFacts(const Case& subject) {
  const ProcessFacts& facts = subject.facts;
  const char* capability = facts.HasUsableIpcLock()          ? "CAP_IPC_LOCK counts"
                           : HasIpcLock(facts.cap_effective) ? "CAP_IPC_LOCK does not count here"
                                                             : "no CAP_IPC_LOCK";
  return absl::StrCat(
      subject.name, ": ", subject.where, "; ", capability, "; RLIMIT_MEMLOCK ",
      LimitAmount(facts.limits.soft), " soft, ", LimitAmount(facts.limits.hard), " hard; ",
      subject.IsRunning() ? absl::StrCat("locked ", Amount(facts.locked_bytes), "; ") : "",
      DescribeNeed(subject.need), facts.shim_loaded ? "; the shim is loaded" : "");
}

absl::StatusOr<Case> CaseOfProcess(pid_t pid, const CgroupHierarchy* hierarchy,
                                   const HostFacts& host, const DoctorOptions& options) {
  auto facts = ReadProcessFacts(pid, hierarchy);
  if (!facts.ok()) return facts.status();
  Case subject;
  subject.facts = *std::move(facts);
  subject.host = host;
  subject.shim_path = options.shim_path;
  subject.name = absl::StrCat(subject.facts.comm, "[", pid, "]");
  subject.check = absl::StrCat("pagewarden doctor --pid ", pid, NeedOption(options));
  subject.executable = ReadExecutableFacts(absl::StrCat("/proc/", pid, "/exe"));
  subject.executable.path = subject.facts.exe;
  Detect(subject);
  Surroundings where;
  if (hierarchy != nullptr) where = ReadSurroundings(pid, *hierarchy, PodTable::Read());
  where.executable = subject.facts.exe;
  auto need = NeedOf(where, options);
  if (!need.ok()) return need.status();
  SubtractWhatIsLocked(subject.facts, *need);
  TakeNeed(*std::move(need), subject);
  return subject;
}

absl::StatusOr<Case> CaseOfCommand(const std::vector<std::string>& command,
                                   const CgroupHierarchy* hierarchy, const HostFacts& host,
                                   const DoctorOptions& options) {
  const absl::StatusOr<Program> program = FindProgram(command.front(), getenv("PATH"));
  if (!program.ok()) return program.status();
  auto facts = ReadProcessFacts(getpid(), hierarchy);
  if (!facts.ok()) return facts.status();
  Case subject;
  subject.facts = *std::move(facts);
  subject.facts.shim_loaded = false;  // this program's own state is not the command's
  subject.facts.shim.reset();
  subject.host = host;
  subject.shim_path = options.shim_path;
  subject.name = program->executable;
  subject.command = absl::StrJoin(command, " ", [](std::string* out, const std::string& word) {
    out->append(ShellQuote(word));
  });
  subject.check = absl::StrCat("pagewarden doctor", NeedOption(options), " -- ", subject.command);
  subject.executable = ReadExecutableFacts(program->executable);
  Detect(subject);
  ApplyFileCapabilities(subject);
  if (subject.facts.seccomp_mode != 0) subject.filter = ProbeFilter();
  Surroundings where = ReadOwnSurroundings();
  where.executable = program->executable;
  auto need = NeedOf(where, options);
  if (!need.ok()) return need.status();
  TakeNeed(*std::move(need), subject);
  return subject;
}

absl::StatusOr<Case> CaseOfUnit(const UnitFile& unit, const UnitSettings& settings,
                                const HostFacts& host, const DoctorOptions& options) {
  Case subject;
  subject.facts = FactsOfUnit(settings, host);
  subject.host = host;
  subject.name = unit.name;
  subject.command = settings.command.empty() ? "COMMAND" : absl::StrJoin(settings.command, " ");
  subject.check =
      absl::StrCat("pagewarden doctor --unit ", unit.name,
                   options.root.empty() ? "" : absl::StrCat(" --root ", ShellQuote(options.root)),
                   NeedOption(options));
  Environment& environment = subject.environment;
  environment.kind = EnvironmentKind::kService;
  environment.name = unit.name;
  environment.is_root = settings.IsRoot();
  environment.has_own_user_ns = settings.private_users;
  environment.image_root = options.root;
  environment.boundingset_without_ipc_lock = (settings.bounding & kIpcLock) == 0;
  subject.where = absl::StrCat(WhereOf(subject.facts, environment), ", LimitMEMLOCK of ",
                               settings.memlock_source);
  subject.filter = settings.filter;
  if (!settings.command.empty()) {
    subject.executable = ReadExecutableFacts(options.root + settings.command.front());
    subject.executable.path = settings.command.front();
  }
  Surroundings where = WhereUnitRuns(unit.name, options);
  where.executable = subject.executable.path;
  auto need = NeedOf(where, options);
  if (!need.ok()) return need.status();
  TakeNeed(*std::move(need), subject);
  return subject;
}

}  // namespace pagewarden
