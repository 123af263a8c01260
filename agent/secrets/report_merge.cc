// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/report_merge.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pagewarden {
namespace {

template <typename T, typename Predicate>
void EraseIf(std::vector<T>& values, Predicate predicate) {
  values.erase(std::remove_if(values.begin(), values.end(), predicate), values.end());
}

bool Has(const std::vector<SecretError>& errors, const SecretError& wanted) {
  return std::any_of(errors.begin(), errors.end(), [&wanted](const SecretError& error) {
    return error.policy == wanted.policy && error.file == wanted.file &&
           error.reason == wanted.reason;
  });
}

bool IsFoundAt(const std::vector<SecretCopies>& copies, const SecretError& error) {
  return std::any_of(copies.begin(), copies.end(), [&error](const SecretCopies& found) {
    return found.policy == error.policy && found.file == error.file;
  });
}

}  // namespace

void AddToReport(const PidsByPolicy& checked, SecretReport found, SecretReport& report) {
  const SecretTargets targets = {nullptr, checked};
  EraseIf(report.copies,
          [&](const SecretCopies& copies) { return IsTarget(targets, copies.policy, copies.pid); });
  EraseIf(report.errors, [&](const SecretError& error) {
    return error.reason == kSecretNotFound && IsFoundAt(found.copies, error);
  });
  std::move(found.copies.begin(), found.copies.end(), std::back_inserter(report.copies));
  for (SecretError& error : found.errors) {
    if (error.reason == kSecretNotFound || Has(report.errors, error)) continue;
    report.errors.push_back(std::move(error));
  }
}

SecretReport CurrentReport(SecretReport report, const SecretTargets& targets) {
  const auto watched = WatchedFiles(targets);
  report.nothing_to_check = watched.empty();
  const auto is_watched = [&](const std::string& policy, const std::string& file) {
    const auto files = watched.find(policy);
    if (files == watched.end()) return false;
    return file.empty() ||
           std::find(files->second.begin(), files->second.end(), file) != files->second.end();
  };
  EraseIf(report.copies, [&](const SecretCopies& found) {
    return !is_watched(found.policy, found.file) || !IsTarget(targets, found.policy, found.pid);
  });
  EraseIf(report.errors,
          [&](const SecretError& error) { return !is_watched(error.policy, error.file); });
  return report;
}

}  // namespace pagewarden
