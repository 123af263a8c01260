// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/attempt_source.h"

#include <string.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <utility>

#include "agent/bpf/attempt_programs.h"
#include "agent/watch/attempt_decode.h"
#include "agent/watch/attempt_details.h"
#include "agent/watch/kernel_symbols.h"

namespace pagewarden {
namespace {

constexpr size_t kRememberedKinds = 1024;

using KindKey = std::pair<uint32_t, uint32_t>;  // attempt_rate_key

// bpf_ktime_get_ns counts on CLOCK_MONOTONIC.
absl::Time TimeOf(uint64_t monotonic_ns) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const absl::Duration age =
      absl::DurationFromTimespec(now) - absl::Nanoseconds(static_cast<int64_t>(monotonic_ns));
  return absl::Now() - age;
}

// Where the number of the call leaves several mechanisms.
bool NeedsSymbols(const lock_attempt& wire) {
  return wire.call == ATTEMPT_BY_STACK || wire.call == ATTEMPT_MMAP;
}

// A question that BPF could not settle by itself: nothing was refused after all, or
// nobody can tell.
bool IsWorthTelling(const ObservedAttempt& seen) {
  if (seen.verdict.reason == Reason::kNone) return false;
  if (seen.verdict.reason != Reason::kUnknown) return true;
  return seen.attempt.result.value_or(0) < 0;
}

}  // namespace

struct AttemptSource::State {
  explicit State(AttemptPrograms opened) : programs(std::move(opened)) {}

  const KernelSymbols& SymbolsFor(const lock_attempt& wire);
  ObservedAttempt Observe(const lock_attempt& wire);
  void Remember(const lock_attempt& wire, const ObservedAttempt& seen);
  void TakeOne(const lock_attempt& wire, std::vector<ObservedAttempt>& seen);
  void TakeRepeats(std::vector<ObservedAttempt>& seen);

  AttemptPrograms programs;
  std::vector<pid_t> pids;
  bool symbols_read = false;
  KernelSymbols symbols;
  std::map<KindKey, ObservedAttempt> last_told;  // of processes that loop
};

// Read when first needed: most attempts are told apart by their number.
const KernelSymbols& AttemptSource::State::SymbolsFor(const lock_attempt& wire) {
  if (NeedsSymbols(wire) && !std::exchange(symbols_read, true)) {
    auto read = KernelSymbols::Read(MechanismFunctions());
    if (read.ok()) symbols = *std::move(read);
  }
  return symbols;
}

ObservedAttempt AttemptSource::State::Observe(const lock_attempt& wire) {
  ObservedAttempt seen;
  seen.time = TimeOf(wire.time_ns);
  seen.pid = static_cast<pid_t>(wire.task.pid);
  seen.uid = wire.task.effective_uid;
  seen.comm.assign(wire.task.comm, strnlen(wire.task.comm, sizeof(wire.task.comm)));
  seen.cgroup_id = wire.task.cgroup_id;
  seen.attempt = DecodeAttempt(wire, SymbolsFor(wire), programs.sees_questions());
  AddProcDetails(seen.pid, static_cast<int>(wire.args[0]), seen.attempt);
  seen.verdict = Classify(seen.attempt);
  return seen;
}

void AttemptSource::State::Remember(const lock_attempt& wire, const ObservedAttempt& seen) {
  if ((wire.flags & ATTEMPT_LAST_TOLD) == 0) return;
  if (last_told.size() >= kRememberedKinds) last_told.erase(last_told.begin());
  const bool granted = wire.refusals == 0 && wire.result >= 0;
  last_told.insert_or_assign({wire.tgid, wire.call << 1 | granted}, seen);
}

void AttemptSource::State::TakeOne(const lock_attempt& wire, std::vector<ObservedAttempt>& seen) {
  const pid_t pid = static_cast<pid_t>(wire.task.pid);
  if (!pids.empty() && std::find(pids.begin(), pids.end(), pid) == pids.end()) return;
  ObservedAttempt observed = Observe(wire);
  if (!IsWorthTelling(observed)) return;
  Remember(wire, observed);
  seen.push_back(std::move(observed));
}

void AttemptSource::State::TakeRepeats(std::vector<ObservedAttempt>& seen) {
  programs.TakeUntold([&](const attempt_rate_key& key, uint64_t times) {
    const auto last = last_told.find({key.tgid, key.kind});
    if (last == last_told.end()) return;
    ObservedAttempt copy = std::move(last->second);
    last_told.erase(last);
    copy.attempt.repeats = times - 1;  // the copy stands for one itself
    seen.push_back(std::move(copy));
  });
}

AttemptSource::AttemptSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
AttemptSource::AttemptSource(AttemptSource&&) noexcept = default;
AttemptSource& AttemptSource::operator=(AttemptSource&&) noexcept = default;
AttemptSource::~AttemptSource() = default;

absl::StatusOr<AttemptSource> AttemptSource::Open(const AttemptSourceOptions& options) {
  auto programs = AttemptPrograms::Open({options.cgroup_version, options.trace_syscalls});
  if (!programs.ok()) return programs.status();
  auto state = std::make_unique<State>(*std::move(programs));
  state->pids = options.pids;
  return AttemptSource(std::move(state));
}

int AttemptSource::fd() const { return state_->programs.fd(); }

std::vector<ObservedAttempt> AttemptSource::Take() {
  std::vector<ObservedAttempt> seen;
  state_->programs.Read([&](const lock_attempt& wire) { state_->TakeOne(wire, seen); });
  state_->TakeRepeats(seen);
  return seen;
}

std::vector<HookReport> AttemptSource::hooks() const { return state_->programs.hooks(); }

}  // namespace pagewarden
