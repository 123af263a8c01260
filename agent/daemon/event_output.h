// SPDX-License-Identifier: Apache-2.0
// Events on standard output, a JSON object a line, for a journal or a log collector.
#pragma once

#include <string>
#include <vector>

#include "agent/daemon/bounded_writer.h"
#include "agent/events/event.h"

namespace pagewarden {

class EventOutput {
 public:
  // To file descriptor 1. Where that is the journal's (JOURNAL_STREAM, systemd.exec(5)),
  // each line begins with its priority: "<4>".
  EventOutput();

  // Why some are left out: the reader is gone, or does not read, or the disk is full. They
  // are lost here, not in the event log. Empty: all are written.
  std::string Write(const std::vector<Event>& events);

 private:
  BoundedWriter writer_;
  bool to_journal_;
};

}  // namespace pagewarden
