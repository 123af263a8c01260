// SPDX-License-Identifier: Apache-2.0
#include "agent/state/book_json.h"

#include <openssl/sha.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/policy/utf8.h"

namespace pagewarden {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxEntries = 1 << 17;
constexpr char kHexPrefix[] = "hex:";

// A cgroup's path as a key: JSON is text, and a path may be any bytes. Paths begin with "/".
std::string KeyOfPath(const std::string& path) {
  if (FindBadCharacter(path) == absl::string_view::npos) return path;
  return absl::StrCat(kHexPrefix, absl::BytesToHexString(path));
}

std::string PathOfKey(const std::string& key) {
  absl::string_view hex = key;
  return absl::ConsumePrefix(&hex, kHexPrefix) ? absl::HexStringToBytes(hex) : key;
}

// Reads numbers and texts of arrays and objects; one that is missing, of another kind or
// too large spoils the whole.
class Reader {
 public:
  bool ok() const { return ok_; }
  void Spoil() { ok_ = false; }

  uint64_t Number(const Json& json, uint64_t most = std::numeric_limits<uint64_t>::max()) {
    if (!json.is_number_unsigned() || json.get<uint64_t>() > most) {
      ok_ = false;
      return 0;
    }
    return json.get<uint64_t>();
  }

  std::string Text(const Json& json) {
    if (!json.is_string()) {
      ok_ = false;
      return "";
    }
    return json.get<std::string>();
  }

  template <size_t N>
  void Numbers(const Json& json, std::array<uint64_t, N>& out) {
    if (!IsArray(json, N)) return;
    for (size_t i = 0; i < N; ++i) out[i] = Number(json[i], kMaxCount);
  }

  bool IsArray(const Json& json, size_t size) {
    ok_ = ok_ && json.is_array() && json.size() == size;
    return ok_;
  }

  // The member `key`, if there is one and it is an object.
  const Json& Object(const Json& json, const char* key) {
    static const Json empty = Json::object();
    const auto it = json.find(key);
    if (it == json.end()) return empty;
    if (it->is_object() && it->size() <= kMaxEntries) return *it;
    ok_ = false;
    return empty;
  }

  pid_t Pid(const std::string& text) {
    int pid = 0;
    if (!absl::SimpleAtoi(text, &pid) || pid <= 0) ok_ = false;
    return pid;
  }

 private:
  bool ok_ = true;
};

Json PolicyJson(const PolicyBook& book) {
  Json rules = Json::object();
  for (const auto& [name, rule] : book.rules) rules[name] = {rule.allocations, rule.frees};
  return {{"rules", rules},
          {"fallbacks", book.fallbacks},
          {"violations", book.violations},
          {"guardHits", book.guard_hits}};
}

PolicyBook ReadPolicy(const Json& json, Reader& reader) {
  PolicyBook book;
  if (!json.is_object()) {
    reader.Spoil();
    return book;
  }
  for (const auto& [name, rule] : reader.Object(json, "rules").items()) {
    if (!reader.IsArray(rule, 2)) break;
    book.rules[name] = {reader.Number(rule[0], kMaxCount), reader.Number(rule[1], kMaxCount)};
  }
  reader.Numbers(json.value("fallbacks", Json()), book.fallbacks);
  reader.Numbers(json.value("violations", Json()), book.violations);
  book.guard_hits = reader.Number(json.value("guardHits", Json()), kMaxCount);
  return book;
}

Json CgroupJson(const CgroupBook& book, uint64_t oom_seen) {
  return {{"id", book.cgroup_id},    {"peak", book.peak_locked_bytes},
          {"denials", book.denials}, {"oomKills", book.oom_kills},
          {"oomSeen", oom_seen},     {"seen", absl::ToUnixSeconds(book.last_seen)}};
}

CgroupBook ReadCgroup(const Json& json, Reader& reader, uint64_t& oom_seen) {
  CgroupBook book;
  if (!json.is_object()) {
    reader.Spoil();
    return book;
  }
  book.cgroup_id = reader.Number(json.value("id", Json()));
  book.peak_locked_bytes = reader.Number(json.value("peak", Json()));
  book.oom_kills = reader.Number(json.value("oomKills", Json()), kMaxCount);
  oom_seen = reader.Number(json.value("oomSeen", Json()));
  book.last_seen = absl::FromUnixSeconds(
      static_cast<int64_t>(reader.Number(json.value("seen", Json()), uint64_t{1} << 40)));
  for (const auto& [reason, count] : reader.Object(json, "denials").items()) {
    book.denials[reason] = reader.Number(count, kMaxCount);
  }
  return book;
}

Json ProcessJson(const ProcessBook& book) {
  Json json = PolicyJson(book.counts);
  json["start"] = book.start_time_ns;
  json["exec"] = book.exec_id;
  json["ledger"] = book.ledger;
  json["policy"] = book.policy;
  return json;
}

ProcessBook ReadProcess(const Json& json, Reader& reader) {
  ProcessBook book;
  book.counts = ReadPolicy(json, reader);
  if (!reader.ok()) return book;
  book.start_time_ns = reader.Number(json.value("start", Json()));
  book.exec_id = reader.Number(json.value("exec", Json()));
  book.ledger = reader.Number(json.value("ledger", Json()));
  book.policy = reader.Text(json.value("policy", Json()));
  return book;
}

void ReadAll(const Json& json, Reader& reader, StoredBooks& stored) {
  for (const auto& [key, value] : reader.Object(json, "cgroups").items()) {
    const std::string path = PathOfKey(key);
    uint64_t oom_seen = 0;
    stored.books.cgroups[path] = ReadCgroup(value, reader, oom_seen);
    stored.oom_seen[path] = oom_seen;
  }
  for (const auto& [name, value] : reader.Object(json, "policies").items()) {
    stored.books.policies[name] = ReadPolicy(value, reader);
  }
  for (const auto& [pid, value] : reader.Object(json, "processes").items()) {
    stored.processes[reader.Pid(pid)] = ReadProcess(value, reader);
  }
  for (const auto& [reason, value] : reader.Object(json, "shimsSkipped").items()) {
    stored.books.shims_skipped[reason] = reader.Number(value, kMaxCount);
  }
  for (const auto& [pid, value] : reader.Object(json, "skipped").items()) {
    if (!reader.IsArray(value, 3)) break;
    stored.skipped[reader.Pid(pid)] = {reader.Text(value[0]), reader.Text(value[1]),
                                       reader.Text(value[2])};
  }
}

}  // namespace

std::string FormatBooks(const StoredBooks& stored) {
  Json json = Json::object();
  for (const auto& [path, book] : stored.books.cgroups) {
    const auto seen = stored.oom_seen.find(path);
    json["cgroups"][KeyOfPath(path)] =
        CgroupJson(book, seen == stored.oom_seen.end() ? 0 : seen->second);
  }
  for (const auto& [name, book] : stored.books.policies) json["policies"][name] = PolicyJson(book);
  for (const auto& [pid, book] : stored.processes) {
    json["processes"][absl::StrCat(pid)] = ProcessJson(book);
  }
  for (const auto& [reason, count] : stored.books.shims_skipped) {
    json["shimsSkipped"][reason] = count;
  }
  for (const auto& [pid, process] : stored.skipped) {
    json["skipped"][absl::StrCat(pid)] = {process.exe, process.policy, process.reason};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool ApplyBooks(absl::string_view line, StoredBooks& stored) {
  const Json json = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  Reader reader;
  ReadAll(json, reader, stored);
  return reader.ok();
}

std::string ChecksumOf(absl::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), 8));
}

}  // namespace pagewarden
