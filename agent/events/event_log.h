// SPDX-License-Identifier: Apache-2.0
// The agent's events: on disk in two files of JSON lines, the last ones in memory as well.
//
//   auto log = EventLog::Open("/var/lib/pagewarden", {});
//   log->Append(events);                       // numbered, and on the disk when it returns
//   for (const Event& event : log->Since(absl::Now() - absl::Minutes(10))) …
//
// An event is acknowledged when Append has returned OK. Neither SIGKILL nor a crash of the
// machine loses one after that. Numbers have no gaps and are never given twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/events/event.h"

namespace pagewarden {

struct EventLogOptions {
  size_t ring_events = 10000;      // kept in memory, 4 MiB of them at most
  uint64_t file_bytes = 8u << 20;  // of each of the two files
};

// Thread-safe.
class EventLog {
 public:
  using Options = EventLogOptions;

  // A torn last line is cut off. Where the directory cannot be written (read-only, full),
  // events are kept in memory only: see `problem`.
  // FailedPrecondition: it is not to be trusted, or another agent uses it.
  static absl::StatusOr<EventLog> Open(const std::string& state_dir, Options options = {});
  EventLog(EventLog&&) noexcept;
  EventLog& operator=(EventLog&&) noexcept;
  ~EventLog();

  // Gives `events` their numbers and writes all of them at once. An error: they have their
  // numbers, can be asked for until the agent ends, count as lost, and are written with the
  // next ones as soon as the disk takes them.
  absl::Status Append(std::vector<Event>& events);

  // Events of `since` and later with numbers above `after_sequence`, the oldest first. More
  // than `limit`: the first ones.
  std::vector<Event> Since(absl::Time since, uint64_t after_sequence = 0,
                           size_t limit = SIZE_MAX) const;
  // Likewise, as EventLine makes them, with those types only; none named: all.
  std::vector<std::string> LinesSince(absl::Time since, uint64_t after_sequence, size_t limit,
                                      const std::vector<std::string>& types) const;

  // Of the raised events those that are not over, and the last of type "reload", whatever
  // became of it: also where the files do not have them any more.
  std::vector<Event> Standing() const;

  uint64_t first_sequence() const;    // in memory; 0: none
  uint64_t last_sequence() const;     // 0: none ever
  uint64_t durable_sequence() const;  // up to here, all are on the disk
  // Events that were not on the disk when their Append returned.
  uint64_t lost() const;
  // Why events are not written at the moment; empty: they are.
  std::string problem() const;
  // What Open had to mend, one line each.
  std::vector<std::string> notes() const;

 private:
  struct State;
  explicit EventLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
