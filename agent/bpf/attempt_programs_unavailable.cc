// SPDX-License-Identifier: Apache-2.0
// Stands in for attempt_programs.cc in a build with -Dbpf=disabled.
#include "agent/bpf/attempt_programs.h"

namespace pagewarden {

struct AttemptPrograms::State {};

AttemptPrograms::AttemptPrograms(std::unique_ptr<State> state) : state_(std::move(state)) {}
AttemptPrograms::AttemptPrograms(AttemptPrograms&&) noexcept = default;
AttemptPrograms& AttemptPrograms::operator=(AttemptPrograms&&) noexcept = default;
AttemptPrograms::~AttemptPrograms() = default;

absl::StatusOr<AttemptPrograms> AttemptPrograms::Open(const AttemptProgramOptions&) {
  return absl::UnimplementedError("this pagewarden was built without BPF");
}

int AttemptPrograms::fd() const { return -1; }
void AttemptPrograms::Read(absl::FunctionRef<void(const lock_attempt&)>) {}
void AttemptPrograms::TakeUntold(absl::FunctionRef<void(const attempt_rate_key&, uint64_t)>) {}
bool AttemptPrograms::sees_questions() const { return false; }
std::vector<HookReport> AttemptPrograms::hooks() const { return {}; }

}  // namespace pagewarden
