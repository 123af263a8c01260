// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/group_json.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

using Json = nlohmann::json;

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The library tells by exceptions what a line lacks.
template <typename T, typename Read>
absl::StatusOr<T> Parse(absl::string_view line, Read read) {
  try {
    return read(Json::parse(line.begin(), line.end()));
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("not a check: ", error.what()));
  }
}

Json CopiesJson(const SecretCopies& copies) {
  return {{"policy", copies.policy}, {"file", copies.file},     {"pid", copies.pid},
          {"comm", copies.comm},     {"fenced", copies.fenced}, {"unfenced", copies.unfenced},
          {"pinned", copies.pinned}, {"where", copies.where}};
}

SecretCopies ToCopies(const Json& json) {
  SecretCopies copies;
  json.at("policy").get_to(copies.policy);
  json.at("file").get_to(copies.file);
  json.at("pid").get_to(copies.pid);
  json.at("comm").get_to(copies.comm);
  json.at("fenced").get_to(copies.fenced);
  json.at("unfenced").get_to(copies.unfenced);
  json.at("pinned").get_to(copies.pinned);
  json.at("where").get_to(copies.where);
  return copies;
}

}  // namespace

std::string GroupRequestLine(const GroupRequest& request) {
  return Line({{"policy", request.policy},
               {"files", request.files},
               {"pids", request.pids},
               {"seesOwnFiles", request.sees_own_files},
               {"hasPins", request.has_pins},
               {"confirmAfterSeconds", absl::ToDoubleSeconds(request.confirm_after)},
               {"duty", request.duty}});
}

std::string GroupResultLine(const GroupResult& result) {
  Json copies = Json::array();
  for (const SecretCopies& found : result.copies) copies.push_back(CopiesJson(found));
  Json errors = Json::array();
  for (const SecretError& error : result.errors) {
    errors.push_back({error.policy, error.file, error.reason, error.text});
  }
  return Line({{"copies", copies},
               {"errors", errors},
               {"failures", result.failures},
               {"firstFailure", result.first_failure}});
}

absl::StatusOr<GroupRequest> ParseGroupRequest(absl::string_view line) {
  return Parse<GroupRequest>(line, [](const Json& json) {
    GroupRequest request;
    json.at("policy").get_to(request.policy);
    json.at("files").get_to(request.files);
    json.at("pids").get_to(request.pids);
    json.at("seesOwnFiles").get_to(request.sees_own_files);
    json.at("hasPins").get_to(request.has_pins);
    request.confirm_after = absl::Seconds(json.at("confirmAfterSeconds").get<double>());
    json.at("duty").get_to(request.duty);
    return request;
  });
}

absl::StatusOr<GroupResult> ParseGroupResult(absl::string_view line) {
  return Parse<GroupResult>(line, [](const Json& json) {
    GroupResult result;
    for (const Json& copies : json.at("copies")) result.copies.push_back(ToCopies(copies));
    for (const Json& error : json.at("errors")) {
      result.errors.push_back({error.at(0), error.at(1), error.at(2), error.at(3)});
    }
    json.at("failures").get_to(result.failures);
    json.at("firstFailure").get_to(result.first_failure);
    return result;
  });
}

}  // namespace pagewarden
