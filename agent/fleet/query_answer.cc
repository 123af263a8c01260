// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/query_answer.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;
constexpr int kSampleDepth = 3;  // of an element of data.result
constexpr size_t kMaxWarnings = 20;
constexpr size_t kMaxTextBytes = 500;
constexpr size_t kMaxNumberBytes = 64;

std::string TextOf(const json& value) {
  if (!value.is_string()) return "";
  return ShortenMiddle(Printable(value.get_ref<const std::string&>()), kMaxTextBytes);
}

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("not an answer of Prometheus' HTTP API: ", what));
}

// Takes the samples out of the document while it is parsed, so that it is never whole in
// memory. The parser itself does not recurse.
class AnswerReader {
 public:
  // The parser's callback; false: leave `parsed` out of the document.
  bool On(int depth, json::parse_event_t event, json& parsed) {
    if (!status_.ok()) return false;
    if (depth > kMaxDepth) return Fail(Malformed("nested too deeply"));
    if (event == json::parse_event_t::key) {
      if (depth == 1) section_ = parsed.get<std::string>();
      if (depth == 2) part_ = parsed.get<std::string>();
      return true;
    }
    const bool sample = event == json::parse_event_t::object_end && depth == kSampleDepth &&
                        section_ == "data" && part_ == "result";
    if (!sample) return true;
    AddSample(parsed);
    return false;
  }

  absl::StatusOr<QueryAnswer> Finish(const json& document) {
    if (!status_.ok()) return status_;
    if (document.is_discarded()) return Malformed("no JSON");
    if (!document.is_object()) return Malformed("no JSON object");
    if (document.value("status", json()) == "error") return ServerError(document);
    if (document.value("status", json()) != "success") return Malformed("no status");
    const json data = document.value("data", json());
    if (!data.is_object() || !data.value("result", json()).is_array()) return Malformed("no data");
    if (data.value("resultType", json()) != "vector") return Malformed("not a vector");
    if (!data["result"].empty()) return Malformed("a result that is not an object");
    AddWarnings(document.value("warnings", json()));
    return std::move(answer_);
  }

 private:
  bool Fail(absl::Status status) {
    status_ = std::move(status);
    return false;
  }

  static absl::Status ServerError(const json& document) {
    const std::string type = TextOf(document.value("errorType", json()));
    const std::string text = absl::StrCat(type, ": ", TextOf(document.value("error", json())));
    if (type == "bad_data") return absl::InvalidArgumentError(text);
    return absl::UnavailableError(text);
  }

  void AddWarnings(const json& warnings) {
    if (!warnings.is_array()) return;
    for (const json& warning : warnings) {
      if (answer_.warnings.size() == kMaxWarnings) break;
      answer_.warnings.push_back(TextOf(warning));
    }
  }

  void AddSample(const json& object) {
    if (answer_.samples.size() >= kMaxSamples) {
      Fail(absl::ResourceExhaustedError(absl::StrCat("more than ", kMaxSamples, " samples")));
      return;
    }
    QuerySample sample;
    if (!ReadValue(object.value("value", json()), sample.value)) return;
    if (!ReadLabels(object.value("metric", json()), sample.labels)) return;
    if (!std::isnan(sample.value)) answer_.samples.push_back(std::move(sample));
  }

  // [SECONDS, "NUMBER"]
  bool ReadValue(const json& pair, double& value) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_string()) {
      return Fail(Malformed("a sample without a value"));
    }
    const std::string& text = pair[1].get_ref<const std::string&>();
    if (text.size() > kMaxNumberBytes || !absl::SimpleAtod(text, &value)) {
      return Fail(Malformed("a value that is not a number"));
    }
    answer_.time = pair[0].get<double>();
    return true;
  }

  bool ReadLabels(const json& metric, SampleLabels& labels) {
    if (!metric.is_object()) return Fail(Malformed("a sample without labels"));
    if (metric.size() > kMaxLabelsOfSample) {
      return Fail(absl::ResourceExhaustedError("a sample with too many labels"));
    }
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& [name, value] : metric.items()) {
      if (!value.is_string()) return Fail(Malformed("a label that is not text"));
      const std::string& text = value.get_ref<const std::string&>();
      if (name.size() + text.size() > kMaxLabelBytes) {
        return Fail(absl::ResourceExhaustedError("a label that is too long"));
      }
      pairs.emplace_back(name, text);
    }
    labels = SampleLabels(std::move(pairs));
    return true;
  }

  QueryAnswer answer_;
  absl::Status status_;
  std::string section_;  // the key that is read of the document
  std::string part_;     // and of the object below it
};

}  // namespace

SampleLabels::SampleLabels(std::vector<std::pair<std::string, std::string>> pairs)
    : pairs_(std::move(pairs)) {
  std::sort(pairs_.begin(), pairs_.end());
}

absl::string_view SampleLabels::Get(absl::string_view name) const {
  const auto found =
      std::lower_bound(pairs_.begin(), pairs_.end(), name,
                       [](const auto& pair, absl::string_view key) { return pair.first < key; });
  return found != pairs_.end() && found->first == name ? absl::string_view(found->second) : "";
}

absl::StatusOr<QueryAnswer> ParseQueryAnswer(const std::string& body) {
  AnswerReader reader;
  const json document = json::parse(
      body,
      [&reader](int depth, json::parse_event_t event, json& parsed) {
        return reader.On(depth, event, parsed);
      },
      /*allow_exceptions=*/false);
  return reader.Finish(document);
}

}  // namespace pagewarden
