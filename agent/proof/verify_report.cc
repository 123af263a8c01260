// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/verify_report.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/base/exit_codes.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::array<std::string, 10>;

constexpr size_t kRightAligned[] = {0, 3};

struct Summary {
  size_t copies = 0;
  size_t locked = 0;
  size_t fenced = 0;
};

Summary Summarize(const VerifyResult& result) {
  Summary summary{result.copies.size(), 0, 0};
  for (const FoundCopy& copy : result.copies) {
    summary.locked += copy.locked;
    summary.fenced += copy.fenced;
  }
  return summary;
}

std::string HexAddress(uint64_t address) { return absl::StrCat("0x", absl::Hex(address)); }

// Names come from the processes: nothing in them may move the cursor.
std::string Printable(const std::string& text) {
  std::string printable = text.empty() ? "-" : text;
  for (char& c : printable) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return printable;
}

std::string YesNo(bool value) { return value ? "yes" : "no"; }

std::vector<Row> Rows(const VerifyResult& result) {
  std::map<pid_t, std::string> comms;
  for (const VerifiedProcess& process : result.processes) comms[process.pid] = process.comm;
  std::vector<Row> rows;
  for (const FoundCopy& copy : result.copies) {
    rows.push_back({absl::StrCat(copy.pid), Printable(comms[copy.pid]), HexAddress(copy.address),
                    absl::StrCat(copy.bytes), copy.representation, Printable(copy.mapping),
                    YesNo(copy.locked), YesNo(copy.dumpable), YesNo(copy.fenced),
                    Printable(copy.tag)});
  }
  return rows;
}

std::string Plural(size_t count, const char* one, const char* many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

}  // namespace

void PrintJson(const VerifyResult& result, std::ostream& out) {
  Json processes = Json::array();
  for (const VerifiedProcess& process : result.processes) {
    processes.push_back({{"pid", process.pid}, {"comm", process.comm}});
  }
  Json copies = Json::array();
  for (const FoundCopy& copy : result.copies) {
    Json entry = {{"pid", copy.pid},         {"address", HexAddress(copy.address)},
                  {"bytes", copy.bytes},     {"representation", copy.representation},
                  {"mapping", copy.mapping}, {"locked", copy.locked},
                  {"fenced", copy.fenced},   {"dumpable", copy.dumpable}};
    if (!copy.tag.empty()) entry["tag"] = copy.tag;
    entry["kind"] = PlaceKindName(copy.kind);
    entry["stale"] = copy.stale.has_value() ? Json(*copy.stale) : Json(nullptr);
    copies.push_back(std::move(entry));
  }
  const Summary summary = Summarize(result);
  const Json report = {{"schemaVersion", 1},
                       {"processes", std::move(processes)},
                       {"copies", std::move(copies)},
                       {"summary",
                        {{"copies", summary.copies},
                         {"locked", summary.locked},
                         {"fenced", summary.fenced},
                         {"unlocked", summary.copies - summary.locked}}}};
  out << report.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

void PrintTable(const VerifyResult& result, std::ostream& out) {
  std::vector<Row> rows = Rows(result);
  if (!rows.empty()) {
    rows.insert(rows.begin(), {"PID", "COMMAND", "ADDRESS", "BYTES", "SECRET", "MAPPING", "LOCKED",
                               "DUMPABLE", "FENCED", "ARENA"});
  }
  std::array<int, std::tuple_size<Row>::value> widths = {};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], static_cast<int>(row[i].size()));
    }
  }
  for (const size_t column : kRightAligned) widths[column] = -widths[column];
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppendFormat(&line, "%*s  ", -widths[i], row[i]);
    }
    out << absl::StripTrailingAsciiWhitespace(line) << "\n";
  }
  out << Verdict(result) << "\n";
}

void PrintPlain(const VerifyResult& result, std::ostream& out) {
  for (const Row& row : Rows(result)) out << absl::StrJoin(row, "\t") << "\n";
}

std::string Verdict(const VerifyResult& result) {
  const std::string searched = Plural(result.processes.size(), "process", "processes");
  if (result.copies.empty()) return absl::StrCat("no copy found in ", searched);
  std::set<pid_t> holders;
  for (const FoundCopy& copy : result.copies) holders.insert(copy.pid);
  const Summary summary = Summarize(result);
  return absl::StrCat(
      Plural(summary.copies, "copy", "copies"), " in ",
      holders.size() < result.processes.size() ? absl::StrCat(holders.size(), " of ") : "",
      searched, ": ", summary.fenced, " fenced, ", summary.copies - summary.fenced, " not fenced");
}

int ExitCode(const VerifyResult& result) {
  if (!result.unreadable.empty()) return kExitPartialData;
  if (result.copies.empty()) return kExitNoneFound;
  const Summary summary = Summarize(result);
  return summary.fenced == summary.copies ? kExitClean : kExitFindings;
}

}  // namespace pagewarden
