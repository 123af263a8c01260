// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "agent/doctor/doctor.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

Json FixJson(const Fix& fix) {
  Json json = {{"summary", fix.summary}};
  if (!fix.file.empty()) json["file"] = fix.file;
  if (!fix.content.empty()) json["content"] = fix.content;
  if (!fix.commands.empty()) json["commands"] = fix.commands;
  return json;
}

Json FindingJson(const Finding& finding) {
  Json json = {{"code", CodeName(finding.code)},
               {"severity", SeverityName(finding.severity)},
               {"title", EntryOf(finding.code).title},
               {"subject", finding.subject},
               {"pids", finding.pids},
               {"headline", finding.headline},
               {"where", finding.where},
               {"effect", finding.effect}};
  if (!finding.reason.empty()) json["reason"] = finding.reason;
  if (!finding.in_force.empty()) json["inForce"] = finding.in_force;
  json["fixes"] = Json::array();
  for (const Fix& fix : finding.fixes) json["fixes"].push_back(FixJson(fix));
  json["check"] = finding.check;
  json["why"] = finding.why;
  return json;
}

}  // namespace

std::string FormatDoctorJson(const DoctorReport& report) {
  Json json = {{"schemaVersion", kSchemaVersion}, {"subject", report.subject},
               {"observed", report.observed},     {"checked", report.checked},
               {"unreadable", report.unreadable}, {"findings", Json::array()}};
  for (const Finding& finding : report.findings) json["findings"].push_back(FindingJson(finding));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pagewarden
