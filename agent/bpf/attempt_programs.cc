// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/attempt_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/base/unique_fd.h"
#include "agent/bpf/bpf_error.h"
#include "agent/bpf/hook_chooser.h"
#include "capability_checks.skel.h"
#include "lock_calls.skel.h"
#include "lock_calls_plain.skel.h"
#include "lock_faults.skel.h"
#include "lock_faults_plain.skel.h"
#include "ring_registrations.skel.h"

namespace pagewarden {
namespace {

constexpr uint32_t kRingBytes = 512 << 10;
constexpr uint32_t kEntries = 1024;

// Made by the agent, so that each program can be chosen, and fail, alone.
struct SharedMaps {
  UniqueFd attempts, questions, rates;
};

absl::StatusOr<UniqueFd> MakeMap(bpf_map_type type, const char* name, uint32_t key_bytes,
                                 uint32_t value_bytes, uint32_t entries) {
  const int fd = bpf_map_create(type, name, key_bytes, value_bytes, entries, nullptr);
  if (fd < 0) return BpfError(errno, "making a BPF map");
  return UniqueFd(fd);
}

absl::StatusOr<SharedMaps> MakeSharedMaps() {
  auto attempts = MakeMap(BPF_MAP_TYPE_RINGBUF, "attempts", 0, 0, kRingBytes);
  if (!attempts.ok()) return attempts.status();
  auto questions = MakeMap(BPF_MAP_TYPE_LRU_HASH, "questions", 4, sizeof(lock_attempt), kEntries);
  if (!questions.ok()) return questions.status();
  auto rates = MakeMap(BPF_MAP_TYPE_LRU_HASH, "rates", sizeof(attempt_rate_key),
                       sizeof(attempt_rate), kEntries);
  if (!rates.ok()) return rates.status();
  return SharedMaps{*std::move(attempts), *std::move(questions), *std::move(rates)};
}

__u32 HierarchyOf(std::optional<CgroupVersion> version) {
  if (!version) return CGROUP_HIERARCHY_NONE;
  return *version == CgroupVersion::kV2 ? CGROUP_HIERARCHY_V2 : CGROUP_HIERARCHY_V1_MEMORY;
}

__u32 OwnPidNamespace() {
  struct stat info;
  return stat("/proc/self/ns/pid", &info) == 0 ? static_cast<__u32>(info.st_ino) : 0;
}

// What every skeleton of these has in common.
template <typename Skeleton>
void Configure(Skeleton& skeleton, const SharedMaps& maps, const AttemptProgramOptions& options) {
  skeleton.rodata->read_hierarchy = HierarchyOf(options.cgroup_version);
  skeleton.rodata->agent_pid_namespace = OwnPidNamespace();
  skeleton.rodata->page_bytes = static_cast<__u64>(sysconf(_SC_PAGESIZE));
  bpf_map__reuse_fd(skeleton.maps.attempts, maps.attempts.get());
  bpf_map__reuse_fd(skeleton.maps.questions, maps.questions.get());
  bpf_map__reuse_fd(skeleton.maps.rates, maps.rates.get());
}

#if defined(__aarch64__)
constexpr absl::string_view kFunctionPrefix = "fexit/__arm64_sys_";
constexpr absl::string_view kFunctionProgram = "after_arm64_";
#else
constexpr absl::string_view kFunctionPrefix = "fexit/__x64_sys_";
constexpr absl::string_view kFunctionProgram = "after_x64_";
#endif

template <typename Skeleton>
HookReport ReportOf(const HookChoice<Skeleton>& choice) {
  HookReport report = choice.Report();
  if (choice.hook) report.lost += choice.hook->bss->lost;
  return report;
}

// The calls whose own functions are watched. The first three are worth having where
// the others do not exist.
const std::vector<std::string>& WatchedCalls() {
  static const auto& calls = *new std::vector<std::string>{
      "mlock", "mlock2", "mlockall", "shmctl", "shmget", "bpf", "io_uring_setup"};
  return calls;
}
constexpr size_t kMlockFamily = 3;

HookCandidate ReturnsOf(absl::string_view hook, absl::string_view program_prefix, size_t count) {
  const auto& calls = WatchedCalls();
  HookCandidate candidate;
  candidate.hook = absl::StrCat(
      hook, "{", absl::StrJoin(calls.begin(), calls.begin() + static_cast<int>(count), ","), "}");
  for (size_t i = 0; i < count; ++i) {
    candidate.programs.push_back(absl::StrCat(program_prefix, calls[i]));
  }
  return candidate;
}

std::vector<HookCandidate> ReturnCandidates(bool trace_syscalls) {
  std::vector<HookCandidate> candidates;
  // First where it is asked for: it sees all calls, and those that seccomp refuses.
  if (trace_syscalls) {
    candidates.push_back({"tp_btf/sys_exit", {"on_sys_exit"}});
    candidates.push_back({"raw_tp/sys_exit", {"on_raw_sys_exit"}});
  }
  for (const size_t count : {WatchedCalls().size(), kMlockFamily}) {
    candidates.push_back(ReturnsOf(kFunctionPrefix, kFunctionProgram, count));
  }
  for (const size_t count : {WatchedCalls().size(), kMlockFamily}) {
    candidates.push_back(ReturnsOf("kretsyscall/", "leave_", count));
  }
  return candidates;
}

constexpr uint32_t Bits(std::initializer_list<lock_attempt_call> calls) {
  uint32_t bits = 0;
  for (const lock_attempt_call call : calls) bits |= 1u << call;
  return bits;
}

// Bits of the calls whose end is seen by `hook`.
uint32_t FollowedBy(absl::string_view hook) {
  constexpr uint32_t kFamily = Bits({ATTEMPT_MLOCK, ATTEMPT_MLOCK2, ATTEMPT_MLOCKALL});
  constexpr uint32_t kFunctions =
      kFamily | Bits({ATTEMPT_SHMCTL, ATTEMPT_SHMGET, ATTEMPT_BPF, ATTEMPT_RING_SETUP});
  constexpr uint32_t kOthers =
      Bits({ATTEMPT_MMAP, ATTEMPT_BRK, ATTEMPT_MREMAP, ATTEMPT_SETSOCKOPT, ATTEMPT_SEND});
  if (hook.empty()) return 0;
  if (absl::StrContains(hook, "sys_exit")) return kFunctions | kOthers;
  return absl::StrContains(hook, "shmctl") ? kFunctions : kFamily;
}

// A program that walks mappings by callback, or its twin that does not.
template <typename Full, typename Plain>
struct EitherChoice {
  HookChoice<Full> full;
  HookChoice<Plain> plain;

  HookReport Report() const { return plain.hook ? ReportOf(plain) : ReportOf(full); }
};

template <typename Full, typename Plain>
EitherChoice<Full, Plain> ChooseEither(absl::string_view question,
                                       const std::vector<HookCandidate>& candidates,
                                       const SharedMaps& maps,
                                       const AttemptProgramOptions& options) {
  const auto configure = [&](auto& skeleton) { Configure(skeleton, maps, options); };
  EitherChoice<Full, Plain> choice;
  choice.full = ChooseHook<Full>(question, candidates, configure);
  // What the verifier does not know is EINVAL. For another reason the twin fares no
  // better, and each load reads the kernel's BTF for a tenth of a second.
  if (absl::IsInvalidArgument(choice.full.status)) {
    choice.plain = ChooseHook<Plain>(question, candidates, configure);
  }
  return choice;
}

int OnAttempt(void* context, void* data, size_t bytes) {
  const auto* visit = *static_cast<const absl::FunctionRef<void(const lock_attempt&)>**>(context);
  if (visit != nullptr && bytes >= sizeof(lock_attempt)) {
    (*visit)(*static_cast<const lock_attempt*>(data));
  }
  return 0;
}

// Of the clock that bpf_ktime_get_ns reads.
int64_t MonotonicSecond() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

}  // namespace

struct AttemptPrograms::State {
  ~State() { ring_buffer__free(ring); }

  SharedMaps maps;
  EitherChoice<lock_calls_bpf, lock_calls_plain_bpf> returns;
  HookChoice<capability_checks_bpf> questions;
  EitherChoice<lock_faults_bpf, lock_faults_plain_bpf> faults;
  HookChoice<ring_registrations_bpf> registrations;
  ring_buffer* ring = nullptr;
  const absl::FunctionRef<void(const lock_attempt&)>* visitor = nullptr;
  int64_t last_second = 0;  // when untold attempts were last taken
};

namespace {

HookChoice<capability_checks_bpf> ChooseQuestions(const SharedMaps& maps, uint32_t followed,
                                                  const AttemptProgramOptions& options) {
  const auto configure = [&](capability_checks_bpf& skeleton) {
    Configure(skeleton, maps, options);
    skeleton.rodata->results_follow = followed;
  };
  return ChooseHook<capability_checks_bpf>(
      "denials",
      {{"tp_btf/cap_capable", {"on_cap_capable"}},
       {"fexit/cap_capable", {"after_cap_capable"}},
       {"fexit/security_capable", {"after_security_capable"}},
       {"kprobe/cap_capable", {"enter_cap_capable", "leave_cap_capable"}}},
      configure);
}

// The form with an eventfd first: the other loads on its kernels, and reads that instead.
HookChoice<ring_registrations_bpf> ChooseRegistrations(const SharedMaps& maps,
                                                       const AttemptProgramOptions& options) {
  return ChooseHook<ring_registrations_bpf>(
      "io_uring buffers",
      {{"tp_btf/io_uring_register (with eventfd)", {"on_register_eventfd"}},
       {"tp_btf/io_uring_register", {"on_register"}}},
      [&](ring_registrations_bpf& skeleton) { Configure(skeleton, maps, options); });
}

}  // namespace

AttemptPrograms::AttemptPrograms(std::unique_ptr<State> state) : state_(std::move(state)) {}
AttemptPrograms::AttemptPrograms(AttemptPrograms&&) noexcept = default;
AttemptPrograms& AttemptPrograms::operator=(AttemptPrograms&&) noexcept = default;
AttemptPrograms::~AttemptPrograms() = default;

absl::StatusOr<AttemptPrograms> AttemptPrograms::Open(const AttemptProgramOptions& options) {
  SilenceLibbpf();
  auto maps = MakeSharedMaps();
  if (!maps.ok()) return maps.status();
  auto state = std::make_unique<State>();
  state->maps = *std::move(maps);
  state->ring = ring_buffer__new(state->maps.attempts.get(), OnAttempt, &state->visitor, nullptr);
  if (state->ring == nullptr) return BpfError(errno, "mapping the BPF ring buffer");

  // Those that see the end first: the others leave their calls to them.
  state->returns = ChooseEither<lock_calls_bpf, lock_calls_plain_bpf>(
      "results", ReturnCandidates(options.trace_syscalls), state->maps, options);
  const uint32_t followed = FollowedBy(state->returns.Report().hook);
  state->questions = ChooseQuestions(state->maps, followed, options);
  state->faults = ChooseEither<lock_faults_bpf, lock_faults_plain_bpf>(
      "faults", {{"tp_btf/signal_generate", {"on_signal"}}}, state->maps, options);
  state->registrations = ChooseRegistrations(state->maps, options);
  if (!state->questions.hook && followed == 0) return state->questions.status;
  return AttemptPrograms(std::move(state));
}

int AttemptPrograms::fd() const { return ring_buffer__epoll_fd(state_->ring); }

void AttemptPrograms::Read(absl::FunctionRef<void(const lock_attempt&)> visit) {
  state_->visitor = &visit;
  ring_buffer__consume(state_->ring);
  state_->visitor = nullptr;
}

void AttemptPrograms::TakeUntold(absl::FunctionRef<void(const attempt_rate_key&, uint64_t)> visit) {
  const int64_t second = MonotonicSecond();
  if (second == std::exchange(state_->last_second, second)) return;
  const int map = state_->maps.rates.get();
  attempt_rate_key key, next;
  attempt_rate rate;
  for (int error = bpf_map_get_next_key(map, nullptr, &next); error == 0;
       error = bpf_map_get_next_key(map, &key, &next)) {
    key = next;
    if (bpf_map_lookup_elem(map, &key, &rate) != 0) continue;
    if (rate.untold == 0 || static_cast<int64_t>(rate.second) >= second) continue;
    if (bpf_map_delete_elem(map, &key) == 0) visit(key, rate.untold);
  }
}

bool AttemptPrograms::sees_questions() const { return state_->questions.hook != nullptr; }

std::vector<HookReport> AttemptPrograms::hooks() const {
  return {ReportOf(state_->questions), state_->returns.Report(), state_->faults.Report(),
          ReportOf(state_->registrations)};
}

}  // namespace pagewarden
