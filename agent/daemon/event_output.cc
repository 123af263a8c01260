// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/event_output.h"

#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/events/event_json.h"

namespace pagewarden {
namespace {

bool IsJournal(int fd) {
  const char* const stream = getenv("JOURNAL_STREAM");
  struct stat info;
  if (stream == nullptr || fstat(fd, &info) != 0) return false;
  return absl::StrCat(info.st_dev, ":", info.st_ino) == stream;
}

int PriorityOf(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return LOG_ERR;
    case Severity::kWarning:
      return LOG_WARNING;
    case Severity::kInfo:
      return LOG_INFO;
  }
  return LOG_INFO;
}

}  // namespace

EventOutput::EventOutput() : writer_(STDOUT_FILENO), to_journal_(IsJournal(STDOUT_FILENO)) {}

std::string EventOutput::Write(const std::vector<Event>& events) {
  std::string lines;
  for (const Event& event : events) {
    if (to_journal_) absl::StrAppend(&lines, "<", PriorityOf(event.severity), ">");
    const std::string line = EventLine(event);
    absl::StrAppend(&lines, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return writer_.Write(lines);
}

}  // namespace pagewarden
