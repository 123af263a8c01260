// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/units/call_filter.h"

#include <cerrno>
#include <cstring>
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pagewarden {
namespace {

constexpr const char* kLockCalls[] = {"mlock", "mlock2", "mlockall", "munlock", "munlockall"};
constexpr char kSecretMemory[] = "memfd_secret";

struct Filter {
  bool is_set = false;
  bool allows_listed = false;
  std::map<std::string, bool> listed;    // of the calls that matter
  std::map<std::string, int> own_error;  // "mlock:EPERM" in a deny list
};

// What a name of the list stands for, of the calls that matter.
std::vector<std::string> Expand(absl::string_view name) {
  std::vector<std::string> calls;
  if (name == "@memlock" || name == "@system-service" || name == "@known") {
    calls.assign(std::begin(kLockCalls), std::end(kLockCalls));
  }
  if (name == "@known") calls.push_back(kSecretMemory);
  if (calls.empty()) calls.push_back(std::string(name));
  return calls;
}

int ErrorOf(absl::string_view text) {
  int number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  for (number = 1; number < 134; ++number) {
    const char* name = strerrorname_np(number);
    if (name != nullptr && text == name) return number;
  }
  return 0;
}

// A list of the kind of the first one adds to it, one of the other kind takes away.
void Apply(absl::string_view value, Filter& filter) {
  if (value.empty()) {
    filter = Filter();
    return;
  }
  const bool inverted = absl::ConsumePrefix(&value, "~");
  if (!filter.is_set) {
    filter.is_set = true;
    filter.allows_listed = !inverted;
  }
  const bool adds = inverted != filter.allows_listed;
  for (absl::string_view word : absl::StrSplit(value, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(word, absl::MaxSplits(':', 1));
    for (const std::string& call : Expand(parts.first)) {
      filter.listed[call] = adds;
      if (!parts.second.empty()) filter.own_error[call] = ErrorOf(parts.second);
    }
  }
}

ProbedCall Answer(const Filter& filter, const std::string& call, int error_number) {
  ProbedCall answer;
  answer.name = call;
  const auto listed = filter.listed.find(call);
  const bool is_listed = listed != filter.listed.end() && listed->second;
  const auto own = filter.own_error.find(call);
  if (is_listed == filter.allows_listed) {
    answer.answer = FilterAnswer::kAllowed;
  } else if (own != filter.own_error.end() || error_number != 0) {
    answer.answer = FilterAnswer::kRefused;
    answer.error = own != filter.own_error.end() ? own->second : error_number;
  } else {
    answer.answer = FilterAnswer::kKilled;
  }
  return answer;
}

}  // namespace

std::optional<FilterProbe> FilterOfUnit(const std::vector<UnitSetting>& settings) {
  Filter filter;
  for (const UnitSetting& setting : settings) {
    if (setting.section == "Service" && setting.key == "SystemCallFilter") {
      Apply(setting.value, filter);
    }
  }
  if (!filter.is_set) return std::nullopt;
  const int error_number = ErrorOf(LastValue(settings, "Service", "SystemCallErrorNumber"));
  FilterProbe probe;
  for (const char* call : kLockCalls) probe.calls.push_back(Answer(filter, call, error_number));
  probe.calls.push_back(Answer(filter, kSecretMemory, error_number));
  return probe;
}

}  // namespace pagewarden
