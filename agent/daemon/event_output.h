// SPDX-License-Identifier: Apache-2.0
// Events on standard output, a JSON object a line, for a journal or a log collector.
#pragma once

#include <vector>

#include "agent/events/event.h"

namespace pagewarden {

class EventOutput {
 public:
  // To file descriptor 1. Where that is the journal's (JOURNAL_STREAM, systemd.exec(5)),
  // each line begins with its priority: "<4>".
  EventOutput();

  // False: the reader is gone, or the disk full; what was not written is lost here, not in
  // the event log.
  bool Write(const std::vector<Event>& events);

 private:
  bool to_journal_;
};

}  // namespace pagewarden
