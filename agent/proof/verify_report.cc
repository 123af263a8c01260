// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/verify_report.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/audit/text.h"
#include "agent/proof/verify_summary.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

constexpr size_t kMaxRows = 40;  // of the table, before copies are grouped

std::string HexAddress(uint64_t address) { return absl::StrCat("0x", absl::Hex(address)); }

std::string OrDash(const std::string& text) { return text.empty() ? "-" : Printable(text); }

std::string YesNo(bool value) { return value ? "yes" : "no"; }

std::string YesNo(std::optional<bool> value) { return value.has_value() ? YesNo(*value) : "-"; }

Json Milliseconds(std::optional<absl::Duration> duration) {
  if (!duration.has_value()) return nullptr;
  return absl::ToInt64Microseconds(*duration) / 1000.0;
}

Json CopyJson(const FoundCopy& copy) {
  Json entry = {{"pid", copy.pid},         {"address", HexAddress(copy.address)},
                {"bytes", copy.bytes},     {"representation", copy.representation},
                {"mapping", copy.mapping}, {"locked", copy.locked},
                {"fenced", copy.fenced},   {"dumpable", copy.dumpable}};
  if (!copy.tag.empty()) entry["tag"] = copy.tag;
  entry["kind"] = PlaceKindName(copy.kind);
  entry["stale"] = copy.stale.has_value() ? Json(*copy.stale) : Json(nullptr);
  entry["secret"] = copy.secret;
  return entry;
}

Json SummaryJson(const VerifySummary& summary) {
  return {{"copies", summary.copies},
          {"locked", summary.locked},
          {"fenced", summary.fenced},
          {"unlocked", summary.copies - summary.locked},
          {"lockedOutsideArenas", summary.locked - summary.fenced},
          {"stale", summary.stale},
          {"kinds", summary.kinds}};
}

// How much of a copy a row of the table tells.
enum class Detail { kCopy, kForm, kPlace };

absl::string_view FileName(const std::string& path) {
  return absl::string_view(path).substr(path.rfind('/') + 1);
}

// What the table calls each secret: its file's name, if that is enough to tell
// them apart.
std::map<std::string, std::string> ShortNames(const VerifyResult& result) {
  std::map<std::string, std::string> names;
  std::set<absl::string_view> taken;
  for (const FoundCopy& copy : result.copies) names[copy.secret] = copy.secret;
  for (const auto& [path, name] : names) taken.insert(FileName(path));
  if (taken.size() < names.size()) return names;
  for (auto& [path, name] : names) name = std::string(FileName(path));
  return names;
}

class Table {
 public:
  Table(const VerifyResult& result, Detail detail) : detail_(detail) {
    for (const VerifiedProcess& process : result.processes) comms_[process.pid] = process.comm;
    secrets_ = ShortNames(result);
    for (const FoundCopy& copy : result.copies) Add(copy);
  }

  size_t rows() const { return order_.size(); }

  std::string Text() const {
    std::vector<Align> columns;
    Row heading;
    const auto column = [&](const char* name, Align align = Align::kLeft) {
      heading.push_back(name);
      columns.push_back(align);
    };
    column("PID", Align::kRight);
    column("COMMAND");
    if (HasSeveralSecrets()) column("SECRET");
    if (detail_ != Detail::kPlace) column("FORM");
    for (const char* name :
         {"WHERE", "MAPPING", "LOCKED", "DUMPABLE", "FENCED", "STALE", "ARENA"}) {
      column(name);
    }
    if (detail_ == Detail::kCopy) column("ADDRESS");
    column(detail_ == Detail::kCopy ? "BYTES" : "COPIES", Align::kRight);
    std::vector<Row> lines = {heading};
    for (const Row& row : order_) {
      lines.push_back(row);
      lines.back().push_back(absl::StrCat(counts_.at(row)));
    }
    return FormatTable(columns, lines);
  }

 private:
  bool HasSeveralSecrets() const { return secrets_.size() > 1; }

  void Add(const FoundCopy& copy) {
    Row row = {absl::StrCat(copy.pid), OrDash(comms_[copy.pid])};
    if (HasSeveralSecrets()) row.push_back(OrDash(secrets_[copy.secret]));
    if (detail_ != Detail::kPlace) row.push_back(copy.representation);
    row.insert(row.end(),
               {PlaceKindName(copy.kind), OrDash(copy.mapping), YesNo(copy.locked),
                YesNo(copy.dumpable), YesNo(copy.fenced), YesNo(copy.stale), OrDash(copy.tag)});
    if (detail_ == Detail::kCopy) row.push_back(HexAddress(copy.address));
    const auto [count, is_new] = counts_.try_emplace(row, 0);
    if (is_new) order_.push_back(row);
    count->second += detail_ == Detail::kCopy ? copy.bytes : 1;
  }

  const Detail detail_;
  std::map<pid_t, std::string> comms_;
  std::map<std::string, std::string> secrets_;
  std::vector<Row> order_;
  std::map<Row, uint64_t> counts_;
};

// The most detailed one that is not too long.
Table FittingTable(const VerifyResult& result) {
  for (const Detail detail : {Detail::kCopy, Detail::kForm}) {
    Table table(result, detail);
    if (table.rows() <= kMaxRows) return table;
  }
  return Table(result, Detail::kPlace);
}

}  // namespace

void PrintJson(const VerifyResult& result, std::ostream& out) {
  Json processes = Json::array();
  for (const VerifiedProcess& process : result.processes) {
    processes.push_back({{"pid", process.pid},
                         {"comm", process.comm},
                         {"stoppedMilliseconds", Milliseconds(process.stopped)}});
  }
  Json copies = Json::array();
  for (const FoundCopy& copy : result.copies) copies.push_back(CopyJson(copy));
  const VerifySummary summary = Summarize(result);
  const Json report = {{"schemaVersion", 1},
                       {"processes", std::move(processes)},
                       {"stoppedMilliseconds", Milliseconds(summary.stopped)},
                       {"copies", std::move(copies)},
                       {"summary", SummaryJson(summary)}};
  out << report.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

void PrintTable(const VerifyResult& result, std::ostream& out) {
  if (!result.copies.empty()) {
    const Table table = FittingTable(result);
    out << table.Text();
    if (table.rows() < result.copies.size()) {
      out << "(grouped; --plain and --json list every copy)\n";
    }
  }
  out << Verdict(result);
  if (const auto stopped = Summarize(result).stopped; stopped.has_value()) {
    out << absl::StrFormat("; stopped for %.1f ms at most", absl::ToDoubleMilliseconds(*stopped));
  }
  out << "\n";
}

void PrintPlain(const VerifyResult& result, std::ostream& out) {
  std::map<pid_t, std::string> comms;
  for (const VerifiedProcess& process : result.processes) comms[process.pid] = process.comm;
  for (const FoundCopy& copy : result.copies) {
    const Row row = {absl::StrCat(copy.pid),   OrDash(comms[copy.pid]),  HexAddress(copy.address),
                     absl::StrCat(copy.bytes), copy.representation,      OrDash(copy.mapping),
                     YesNo(copy.locked),       YesNo(copy.dumpable),     YesNo(copy.fenced),
                     OrDash(copy.tag),         PlaceKindName(copy.kind), YesNo(copy.stale),
                     OrDash(copy.secret)};
    out << absl::StrJoin(row, "\t") << "\n";
  }
}

}  // namespace pagewarden
