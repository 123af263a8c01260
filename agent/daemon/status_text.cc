// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/status_text.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/audit/text.h"
#include "agent/policy/quantity.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;

// Of the members on the way; null where one of them is missing.
const Json& At(const Json& json, std::initializer_list<const char*> path) {
  static const Json kNull;
  const Json* at = &json;
  for (const char* const key : path) {
    if (!at->is_object() || !at->contains(key)) return kNull;
    at = &(*at)[key];
  }
  return *at;
}

std::string Word(const Json& json) {
  return json.is_string() ? Printable(json.get<std::string>()) : "";
}

uint64_t Number(const Json& json) { return json.is_number_unsigned() ? json.get<uint64_t>() : 0; }

void AddHead(const Json& status, std::string& text) {
  absl::StrAppend(&text, "agent      pid ", Number(At(status, {"agent", "pid"})), " on ",
                  Word(At(status, {"host"})), ", version ", Word(At(status, {"agent", "version"})),
                  ", since ", Word(At(status, {"agent", "started"})), "\n");
  const std::string cgroup = Word(At(status, {"agent", "cgroup"}));
  if (!cgroup.empty()) absl::StrAppend(&text, "           only of cgroup ", cgroup, "\n");
}

void AddReload(const Json& status, std::string& text) {
  const Json& reload = At(status, {"policies", "lastReload"});
  absl::StrAppend(&text, "policies   set ", Word(At(status, {"policies", "hash"})), ", ",
                  At(status, {"policies", "loaded"}).size(), " in force since ",
                  Word(At(reload, {"lastSuccess"})), "\n");
  for (const Json& policy : At(status, {"policies", "loaded"})) {
    absl::StrAppendFormat(&text, "           %-8s  %s  %s %s (%s)\n", Word(At(policy, {"mode"})),
                          Word(At(policy, {"hash"})), Word(At(policy, {"kind"})),
                          Word(At(policy, {"name"})), Word(At(policy, {"file"})));
  }
  if (!LastReloadIsGood(status)) {
    absl::StrAppend(&text, "RELOAD     failed at ", Word(At(reload, {"time"})),
                    "; the set above stays in force\n");
  }
  for (const char* const what : {"errors", "warnings"}) {
    for (const Json& line : At(reload, {what})) {
      absl::StrAppend(&text, "           ", Word(line), "\n");
    }
  }
}

void AddCoverage(const Json& status, std::string& text) {
  const Json& coverage = At(status, {"coverage"});
  absl::StrAppend(&text, "coverage   ", Number(At(coverage, {"covered"})), " covered, ",
                  Number(At(coverage, {"pending"})), " pending, ",
                  Number(At(coverage, {"uncovered"})), " uncovered\n");
  for (const Json& process : At(coverage, {"processes"})) {
    absl::StrAppend(&text, "           ", Word(At(process, {"state"})), ": ",
                    Word(At(process, {"comm"})), "[", Number(At(process, {"pid"})), "] ",
                    Word(At(process, {"policy"})), ": ", Word(At(process, {"reason"})), ": ",
                    Word(At(process, {"text"})), "\n");
    std::string protections;
    for (const Json& held : At(process, {"protections"})) {
      absl::StrAppend(&protections, protections.empty() ? "" : ", ", Word(held));
    }
    if (protections.empty()) continue;
    absl::StrAppend(&text, "             protected all the same: ", protections, "\n");
  }
}

void AddBudgets(const Json& status, std::string& text) {
  size_t within = 0;
  std::string lines;
  for (const Json& state : At(status, {"budgets", "limits"})) {
    const std::string level = Word(At(state, {"level"}));
    if (level == "within") ++within;
    if (level == "within" || At(state, {"sources"}).empty()) continue;
    const Json& binding = At(state, {"sources"})[0];
    absl::StrAppend(&lines, "           ", level, ": ", Word(At(state, {"scope"})), " ",
                    Word(At(state, {"subject"})), ": ",
                    FormatQuantity(Number(At(binding, {"usedBytes"}))), " of ",
                    FormatQuantity(Number(At(binding, {"limitBytes"}))), " (",
                    Word(At(binding, {"budget"})), " of ", Word(At(binding, {"policy"})), ")\n");
  }
  const Json& rlimits = At(status, {"budgets", "rlimits"});
  absl::StrAppend(&text, "budgets    ", within, " within",
                  rlimits.empty() ? ""
                                  : absl::StrCat(", ", rlimits.size(),
                                                 " processes above "
                                                 "maxRlimit"),
                  "\n", lines);
}

// "3 unfenced, 2 pinned", of those that are not none.
std::string OutsideTheFence(const Json& copies) {
  std::vector<std::string> counts;
  for (const char* const kind : {"unfenced", "pinned"}) {
    const uint64_t count = Number(At(copies, {kind}));
    if (count > 0) counts.push_back(absl::StrCat(count, " ", kind));
  }
  return absl::StrJoin(counts, ", ");
}

void AddSecrets(const Json& status, std::string& text) {
  const Json& secrets = At(status, {"secrets"});
  const std::string checked = Word(At(secrets, {"checked"}));
  if (checked.empty()) return;
  uint64_t fenced = 0;
  uint64_t pinned = 0;
  std::string lines;
  for (const Json& copies : At(secrets, {"copies"})) {
    fenced += Number(At(copies, {"fenced"}));
    pinned += Number(At(copies, {"pinned"}));
    const std::string outside = OutsideTheFence(copies);
    if (outside.empty()) continue;
    absl::StrAppend(&lines, "           ", Word(At(copies, {"file"})), ": ", outside, " in ",
                    Word(At(copies, {"comm"})), "[", Number(At(copies, {"pid"})), "]\n");
  }
  for (const Json& error : At(secrets, {"errors"})) {
    absl::StrAppend(&lines, "           ", Word(At(error, {"file"})), ": ",
                    Word(At(error, {"reason"})), ": ", Word(At(error, {"text"})), "\n");
  }
  absl::StrAppend(&text, "secrets    checked ", checked, ", ", fenced, " fenced copies",
                  pinned == 0 ? "" : absl::StrCat(", ", pinned, " pinned"), "\n", lines);
}

void AddSources(const Json& status, std::string& text) {
  absl::StrAppend(&text, "source     ", Word(At(status, {"source"})));
  for (const Json& hook : At(status, {"hooks"})) {
    const std::string name = Word(At(hook, {"hook"}));
    if (!name.empty()) absl::StrAppend(&text, ", ", Word(At(hook, {"question"})), " by ", name);
  }
  absl::StrAppend(&text, "\n");
  for (const Json& gap : At(status, {"gaps"}))
    absl::StrAppend(&text, "           ", Word(gap), "\n");
  for (const Json& missing : At(status, {"agent", "privileges", "missing"})) {
    absl::StrAppend(&text, "           without ", Word(At(missing, {"capability"})), ": ",
                    Word(At(missing, {"lost"})), "\n");
  }
}

}  // namespace

bool LastReloadIsGood(const Json& status) {
  const Json& ok = At(status, {"policies", "lastReload", "ok"});
  return ok.is_boolean() && ok.get<bool>();
}

std::string StatusText(const Json& status) {
  std::string text;
  AddHead(status, text);
  AddReload(status, text);
  AddCoverage(status, text);
  AddBudgets(status, text);
  AddSecrets(status, text);
  AddSources(status, text);
  return text;
}

}  // namespace pagewarden
