// SPDX-License-Identifier: Apache-2.0
#include "agent/events/event_log.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "agent/events/event_json.h"
#include "agent/events/recent_lines.h"
#include "agent/state/segment_file.h"
#include "agent/events/standing.h"
#include "agent/state/state_directory.h"

namespace pagewarden {
namespace {

constexpr char kCurrent[] = "events.jsonl";
constexpr char kOlder[] = "events.1.jsonl";
constexpr char kStanding[] = "standing.jsonl";
constexpr char kLock[] = "events.lock";
// Larger than any file of ours, whatever file_bytes was.
constexpr size_t kMaxReadBytes = 256 << 20;
constexpr size_t kMaxStandingBytes = 128 << 20;

std::string Plural(size_t count, const char* one) {
  return absl::StrCat(count, " ", one, count == 1 ? "" : "s");
}

}  // namespace

struct EventLog::State {
  State(std::optional<StateDirectory> opened, Options wanted)
      : directory(std::move(opened)), options(wanted), recent(wanted.ring_events) {}

  absl::Status Lock();
  void Load();
  uint64_t LoadFile(const std::string& name);
  void LoadStanding();
  absl::Status Write();
  absl::Status OpenCurrent();
  absl::Status RotateFor(size_t bytes);

  mutable std::mutex mutex;
  std::optional<StateDirectory> directory;  // none: it cannot be made or read
  const Options options;
  UniqueFd lock;
  std::optional<SegmentFile> current;
  uint64_t current_bytes = 0;  // of whole lines on the disk
  RecentLines recent;
  StandingEvents standing;
  std::string waiting;  // lines that are not on the disk
  uint64_t last = 0;
  uint64_t durable = 0;
  uint64_t lost = 0;
  std::string problem;
  std::vector<std::string> notes;
};

// Of the file of a read-only directory that no agent ever wrote to there is none.
absl::Status EventLog::State::Lock() {
  lock = UniqueFd(openat(directory->fd(), kLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.ok()) {
    problem = std::string(ErrnoStatus(errno, directory->PathOf(kLock)).message());
    return absl::OkStatus();
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(directory->PathOf(""), ": another agent keeps its events there"));
}

void EventLog::State::LoadStanding() {
  auto text = directory->Read(kStanding, kMaxStandingBytes);
  if (!text.ok()) {
    if (!absl::IsNotFound(text.status())) notes.emplace_back(text.status().message());
    return;
  }
  if (!standing.Parse(*text)) {
    notes.push_back(absl::StrCat(directory->PathOf(kStanding), ": damaged, not used"));
  }
}

// Returns up to where the file is sound: behind its last event.
uint64_t EventLog::State::LoadFile(const std::string& name) {
  auto text = directory->Read(name, kMaxReadBytes);
  if (!text.ok()) {
    if (!absl::IsNotFound(text.status())) notes.emplace_back(text.status().message());
    return 0;
  }
  size_t sound = 0;
  size_t damaged = 0;
  size_t behind = 0;  // of `damaged`: behind the last sound line
  for (size_t at = 0; at < text->size();) {
    const size_t end = text->find('\n', at);
    if (end == std::string::npos) break;
    const absl::string_view line(text->data() + at, end + 1 - at);
    at = end + 1;
    auto event = ParseEventLine(line);
    if (!event.ok() || event->sequence <= last) {
      ++damaged;
      ++behind;
      continue;
    }
    behind = 0;
    sound = at;
    last = event->sequence;
    standing.Add(*event);
    recent.Add(*event, std::string(line));
  }
  if (damaged > behind) {
    notes.push_back(absl::StrCat(directory->PathOf(name), ": ",
                                 Plural(damaged - behind, "damaged line"), " left out"));
  }
  if (sound < text->size()) {
    notes.push_back(absl::StrCat(directory->PathOf(name), ": cut off ",
                                 Plural(text->size() - sound, "byte"),
                                 " of a write that did not end"));
  }
  return sound;
}

void EventLog::State::Load() {
  LoadStanding();
  LoadFile(kOlder);
  current_bytes = LoadFile(kCurrent);
  // Both files gone: the numbers go on all the same.
  last = std::max(last, standing.through());
  durable = last;
}

absl::Status EventLog::State::OpenCurrent() {
  if (current) return absl::OkStatus();
  auto opened = SegmentFile::Open(*directory, kCurrent, current_bytes);
  if (absl::IsDataLoss(opened.status())) {  // removed behind our back: begin again
    current_bytes = 0;
    opened = SegmentFile::Open(*directory, kCurrent, 0);
  }
  if (!opened.ok()) return opened.status();
  current.emplace(*std::move(opened));
  return absl::OkStatus();
}

// What still is the case has to be on the disk before the file that says so goes.
absl::Status EventLog::State::RotateFor(size_t bytes) {
  if (current_bytes == 0 || current_bytes + bytes <= options.file_bytes) return absl::OkStatus();
  if (absl::Status status = directory->Replace(kStanding, standing.Format()); !status.ok()) {
    return status;
  }
  current.reset();
  if (renameat(directory->fd(), kCurrent, directory->fd(), kOlder) != 0) {
    return ErrnoStatus(errno, directory->PathOf(kOlder));
  }
  current_bytes = 0;
  return directory->Sync();
}

absl::Status EventLog::State::Write() {
  if (!directory) return absl::FailedPreconditionError(problem);
  if (!lock.ok()) {
    if (absl::Status status = Lock(); !status.ok()) return status;
    if (!lock.ok()) return absl::FailedPreconditionError(problem);
  }
  if (absl::Status status = RotateFor(waiting.size()); !status.ok()) return status;
  if (absl::Status status = OpenCurrent(); !status.ok()) return status;
  if (absl::Status status = current->Append(waiting); !status.ok()) {
    current.reset();
    return status;
  }
  current_bytes = current->size();
  return absl::OkStatus();
}

EventLog::EventLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventLog::EventLog(EventLog&&) noexcept = default;
EventLog& EventLog::operator=(EventLog&&) noexcept = default;
EventLog::~EventLog() = default;

absl::StatusOr<EventLog> EventLog::Open(const std::string& state_dir, Options options) {
  auto directory = StateDirectory::Open(state_dir);
  if (absl::IsFailedPrecondition(directory.status())) return directory.status();
  if (!directory.ok()) {
    auto state = std::make_unique<State>(std::nullopt, options);
    state->problem = std::string(directory.status().message());
    return EventLog(std::move(state));
  }
  auto state = std::make_unique<State>(*std::move(directory), options);
  if (absl::Status status = state->Lock(); !status.ok()) return status;
  state->Load();
  if (state->problem.empty()) {
    // Cuts off now what is torn, rather than at the first event.
    if (absl::Status status = state->OpenCurrent(); !status.ok()) {
      state->problem = std::string(status.message());
    }
  }
  return EventLog(std::move(state));
}

absl::Status EventLog::Append(std::vector<Event>& events) {
  if (events.empty()) return absl::OkStatus();
  const std::lock_guard<std::mutex> guard(state_->mutex);
  State& state = *state_;
  for (Event& event : events) {
    event.sequence = ++state.last;
    const std::string line = EventLine(event);
    state.waiting += line;
    state.recent.Add(event, line);
  }
  const absl::Status status = state.Write();
  if (status.ok()) {
    state.standing.AddLines(state.waiting, state.last);
    state.waiting.clear();
    state.durable = state.last;
    state.problem.clear();
    return status;
  }
  state.lost += events.size();
  state.problem = std::string(status.message());
  // Nothing is forgotten of what can be asked for, but nothing else is kept.
  const auto& lines = state.recent.lines();
  state.waiting.clear();
  for (const RecentLine& line : lines) {
    if (line.sequence > state.durable) state.waiting += line.line;
  }
  return status;
}

std::vector<std::string> EventLog::LinesSince(absl::Time since, uint64_t after_sequence,
                                              size_t limit,
                                              const std::vector<std::string>& types) const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  const auto& lines = state_->recent.lines();
  auto it = std::upper_bound(
      lines.begin(), lines.end(), after_sequence,
      [](uint64_t number, const RecentLine& line) { return number < line.sequence; });
  std::vector<std::string> result;
  for (; it != lines.end() && result.size() < limit; ++it) {
    if (it->time < since) continue;
    if (!types.empty() && std::find(types.begin(), types.end(), it->type) == types.end()) continue;
    result.push_back(it->line);
  }
  return result;
}

std::vector<Event> EventLog::Since(absl::Time since, uint64_t after_sequence, size_t limit) const {
  std::vector<Event> events;
  for (const std::string& line : LinesSince(since, after_sequence, limit, {})) {
    if (auto event = ParseEventLine(line); event.ok()) events.push_back(*std::move(event));
  }
  return events;
}

std::vector<Event> EventLog::Standing() const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  return state_->standing.All();
}

uint64_t EventLog::first_sequence() const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  return state_->recent.lines().empty() ? 0 : state_->recent.lines().front().sequence;
}

uint64_t EventLog::last_sequence() const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  return state_->last;
}

uint64_t EventLog::durable_sequence() const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  return state_->durable;
}

uint64_t EventLog::lost() const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  return state_->lost;
}

std::string EventLog::problem() const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  return state_->problem;
}

std::vector<std::string> EventLog::notes() const { return state_->notes; }

}  // namespace pagewarden
