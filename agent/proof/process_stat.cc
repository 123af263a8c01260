// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/process_stat.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxStatBytes = 4096;

// Fields as proc(5) counts them.
constexpr size_t kFirstAfterCommand = 3;
constexpr size_t kParent = 4;
constexpr size_t kStartTicks = 22;
constexpr size_t kVirtualBytes = 23;
constexpr size_t kArgumentsStart = 48;
constexpr size_t kEnvironmentStart = 50;

class Fields {
 public:
  explicit Fields(absl::string_view text)
      : fields_(absl::StrSplit(absl::StripAsciiWhitespace(text), ' ')) {}

  template <typename T>
  bool Get(size_t number, T& value) const {
    const size_t index = number - kFirstAfterCommand;
    return index < fields_.size() && absl::SimpleAtoi(fields_[index], &value);
  }

  bool GetRange(size_t number, AddressRange& range) const {
    return Get(number, range.start) && Get(number + 1, range.end);
  }

 private:
  std::vector<absl::string_view> fields_;
};

}  // namespace

absl::StatusOr<ProcessStat> ParseProcessStat(absl::string_view text) {
  // The second field, the command, may hold spaces and parentheses.
  const size_t command_end = text.rfind(") ");
  if (command_end == text.npos) return absl::InvalidArgumentError("stat has no command");
  const Fields fields(text.substr(command_end + 2));
  ProcessStat stat;
  uint64_t virtual_bytes = 0;
  if (!fields.Get(kParent, stat.parent) || !fields.Get(kStartTicks, stat.start_ticks) ||
      !fields.Get(kVirtualBytes, virtual_bytes) ||
      !fields.GetRange(kArgumentsStart, stat.arguments) ||
      !fields.GetRange(kEnvironmentStart, stat.environment)) {
    return absl::InvalidArgumentError("stat has a malformed field");
  }
  stat.has_memory = virtual_bytes > 0;
  return stat;
}

absl::StatusOr<ProcessStat> ReadProcessStat(pid_t pid) {
  const auto text = ReadBoundedFile(absl::StrCat("/proc/", pid, "/stat"), kMaxStatBytes);
  if (!text.ok()) return text.status();
  return ParseProcessStat(*text);
}

}  // namespace pagewarden
