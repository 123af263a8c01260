// SPDX-License-Identifier: Apache-2.0
#include "agent/events/event_json.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/policy/utf8.h"

namespace pagewarden {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxTextBytes = 4096;
constexpr size_t kMaxNameBytes = 4096;  // cgroup paths
constexpr size_t kMaxDetailsBytes = 8192;
constexpr size_t kMaxTypeBytes = 32;
// The library writes and frees nested values by recursion.
constexpr int kMaxDepth = 16;

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("not an event: ", what));
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Names of processes are any bytes.
std::string ValidUtf8(const std::string& text) {
  if (FindBadCharacter(text) == absl::string_view::npos) return text;
  return Json::parse(Dump(text)).get<std::string>();
}

// The start of it, cut between two characters.
std::string Cut(const std::string& any, size_t bytes) {
  std::string text = ValidUtf8(any);
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

void PutText(const char* key, const std::string& text, size_t bytes, nlohmann::ordered_json& json) {
  if (!text.empty()) json[key] = Cut(text, bytes);
}

bool IsTooDeep(absl::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

bool IsTypeWord(const std::string& word) {
  return !word.empty() && word.size() <= kMaxTypeBytes &&
         std::all_of(word.begin(), word.end(), [](char c) { return absl::ascii_isalpha(c); });
}

// Fields of one object, each to be taken once; what is left is unknown.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}

  bool Text(const char* key, size_t bytes, std::string& out) {
    const Json* const value = Take(key);
    if (value == nullptr) return true;
    const std::string* const text = value->get_ptr<const std::string*>();
    if (text == nullptr || text->size() > bytes) return false;
    out = *text;
    return true;
  }

  bool Number(const char* key, uint64_t most, uint64_t& out) {
    const Json* const value = Take(key);
    if (value == nullptr) return true;
    if (!value->is_number_unsigned()) return false;
    out = value->get<uint64_t>();
    return out <= most;
  }

  bool Flag(const char* key, bool& out) {
    const Json* const value = Take(key);
    if (value == nullptr) return true;
    if (!value->is_boolean()) return false;
    out = value->get<bool>();
    return true;
  }

  bool Object(const char* key, Json& out) {
    const Json* const value = Take(key);
    if (value == nullptr) return true;
    if (!value->is_object()) return false;
    out = *value;
    return true;
  }

  bool AllTaken() const { return taken_ == json_.size(); }

 private:
  const Json* Take(const char* key) {
    const auto it = json_.find(key);
    if (it == json_.end()) return nullptr;
    ++taken_;
    return &*it;
  }

  const Json& json_;
  size_t taken_ = 0;
};

bool TakeTime(Fields& fields, absl::Time& time) {
  std::string text;
  std::string error;
  return fields.Text("time", 64, text) && absl::ParseTime(absl::RFC3339_full, text, &time, &error) &&
         time != absl::InfinitePast() && time != absl::InfiniteFuture();
}

bool TakeSeverity(Fields& fields, Severity& severity) {
  std::string word;
  return fields.Text("severity", 16, word) && ParseSeverity(word, severity);
}

bool TakeSubject(Fields& fields, Event& event) {
  uint64_t pid = 0;
  if (!fields.Number("pid", std::numeric_limits<pid_t>::max(), pid)) return false;
  event.pid = static_cast<pid_t>(pid);
  return fields.Text("cgroup", kMaxNameBytes, event.cgroup) &&
         fields.Text("comm", kMaxNameBytes, event.comm) &&
         fields.Text("policy", kMaxNameBytes, event.policy);
}

absl::StatusOr<Event> EventOfFields(Fields& fields) {
  Event event;
  uint64_t version = 0;
  if (!fields.Number("schemaVersion", kEventSchemaVersion, version) ||
      version != kEventSchemaVersion) {
    return Wrong("another schemaVersion");
  }
  if (!fields.Number("sequence", std::numeric_limits<uint64_t>::max() - 1, event.sequence)) {
    return Wrong("sequence");
  }
  if (!fields.Text("type", kMaxTypeBytes, event.type) || !IsTypeWord(event.type)) {
    return Wrong("type");
  }
  if (!TakeTime(fields, event.time)) return Wrong("time");
  if (!TakeSeverity(fields, event.severity)) return Wrong("severity");
  if (!fields.Flag("raised", event.raised)) return Wrong("raised");
  if (!TakeSubject(fields, event)) return Wrong("its subject");
  if (!fields.Text("text", kMaxTextBytes, event.text)) return Wrong("text");
  if (!fields.Object("details", event.details)) return Wrong("details");
  if (!fields.AllTaken()) return Wrong("an unknown field");
  return event;
}

}  // namespace

bool IsLastingType(absl::string_view type) {
  for (const char* const word :
       {"limitNear", "budget", "rlimit", "uncovered", "secret", "reload", "violation"}) {
    if (type == word) return true;
  }
  return false;
}

std::string EventLine(const Event& event) {
  nlohmann::ordered_json json = {
      {"schemaVersion", kEventSchemaVersion},
      {"sequence", event.sequence},
      {"time", absl::FormatTime(absl::RFC3339_full, event.time, absl::UTCTimeZone())},
      {"type", event.type},
      {"severity", SeverityName(event.severity)}};
  if (IsLastingType(event.type)) json["raised"] = event.raised;
  PutText("cgroup", event.cgroup, kMaxNameBytes, json);
  if (event.pid > 0) json["pid"] = event.pid;
  PutText("comm", event.comm, 64, json);
  PutText("policy", event.policy, 256, json);
  json["text"] = Cut(event.text, kMaxTextBytes);
  if (!event.details.empty()) {
    const std::string details = Dump(event.details);
    if (details.size() <= kMaxDetailsBytes && !IsTooDeep(details)) {
      json["details"] = event.details;
    } else {
      json["details"] = {{"leftOut", details.size()}};
      if (event.details.is_object() && event.details.contains("key")) {
        json["details"]["key"] = event.details["key"];
      }
    }
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Event> ParseEventLine(absl::string_view line) {
  absl::ConsumeSuffix(&line, "\n");
  if (line.size() >= kMaxEventLineBytes) return Wrong("too long");
  if (IsTooDeep(line)) return Wrong("nested too deep");
  const Json json = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Wrong("not a JSON object");
  Fields fields(json);
  return EventOfFields(fields);
}

}  // namespace pagewarden
