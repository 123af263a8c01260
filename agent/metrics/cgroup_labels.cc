// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/cgroup_labels.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/base/closest_word.h"

namespace pagewarden {
namespace {

struct OptionalLabel {
  const char* word;
  bool CgroupLabels::*is_kept;
  std::string CgroupFigures::*value;
};
constexpr OptionalLabel kOptionalLabels[] = {
    {"namespace", &CgroupLabels::kube_namespace, &CgroupFigures::kube_namespace},
    {"pod", &CgroupLabels::pod, &CgroupFigures::pod},
    {"container", &CgroupLabels::container, &CgroupFigures::container},
};

absl::Status Unknown(absl::string_view word) {
  if (word == "cgroup") {
    return absl::InvalidArgumentError("cgroup tells the series apart: it is always there");
  }
  std::vector<std::string> words;
  for (const OptionalLabel& label : kOptionalLabels) words.emplace_back(label.word);
  const std::string closest = ClosestWord(word, words);
  return absl::InvalidArgumentError(
      absl::StrCat("no label \"", word, "\" of namespace, pod and container",
                   closest.empty() ? "" : absl::StrCat(" (did you mean \"", closest, "\"?)")));
}

absl::Status Keep(absl::string_view word, CgroupLabels& kept) {
  for (const OptionalLabel& label : kOptionalLabels) {
    if (word != label.word) continue;
    if (kept.*label.is_kept)
      return absl::InvalidArgumentError(absl::StrCat(word, " is there twice"));
    kept.*label.is_kept = true;
    return absl::OkStatus();
  }
  return Unknown(word);
}

}  // namespace

absl::StatusOr<CgroupLabels> ParseCgroupLabels(absl::string_view text) {
  CgroupLabels kept = {false, false, false};
  if (absl::StripAsciiWhitespace(text).empty()) return kept;
  for (const absl::string_view word : absl::StrSplit(text, ',')) {
    const absl::Status status = Keep(absl::StripAsciiWhitespace(word), kept);
    if (!status.ok()) return status;
  }
  return kept;
}

void KeepLabels(const CgroupLabels& kept, std::vector<CgroupFigures>& cgroups) {
  for (const OptionalLabel& label : kOptionalLabels) {
    if (kept.*label.is_kept) continue;
    for (CgroupFigures& figures : cgroups) (figures.*label.value).clear();
  }
}

}  // namespace pagewarden
