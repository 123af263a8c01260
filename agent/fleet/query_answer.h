// SPDX-License-Identifier: Apache-2.0
// What Prometheus' HTTP API answers to an instant query, checked: it comes from a server, and
// the labels in it from whoever may name a cgroup or a policy on any host.
//
//   auto answer = ParseQueryAnswer(R"({"status":"success","data":{"resultType":"vector",…}})");
//
// Source: the HTTP API page of Prometheus' documentation, "Instant queries".
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// Of one sample. Few, so that a sorted list beats a map.
class SampleLabels {
 public:
  SampleLabels() = default;
  explicit SampleLabels(std::vector<std::pair<std::string, std::string>> pairs);

  // Empty: there is none, which PromQL does not tell from an empty one either.
  absl::string_view Get(absl::string_view name) const;

  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;  // by name
};

struct QuerySample {
  SampleLabels labels;  // as they came: any UTF-8, not yet fit for a terminal
  double value = 0;     // never NaN; may be infinite
};

struct QueryAnswer {
  std::vector<QuerySample> samples;
  // Of a server that answers with what it has (Thanos, Mimir): not all data is in. Printable.
  std::vector<std::string> warnings;
  double time = 0;  // at which the server evaluated, seconds since the epoch; 0: no sample
};

inline constexpr size_t kMaxSamples = 500'000;
inline constexpr size_t kMaxLabelsOfSample = 64;
inline constexpr size_t kMaxLabelBytes = 8192;

// InvalidArgument: the server refuses the query as wrong. Unavailable: it answers with another
// error. DataLoss: not such an answer. ResourceExhausted: more than the limits above.
// Samples that are NaN are left out.
absl::StatusOr<QueryAnswer> ParseQueryAnswer(const std::string& body);

}  // namespace pagewarden
