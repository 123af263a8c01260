// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/load.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "agent/policy/schema.h"
#include "agent/policy/yaml_tree.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

Position WholeFile(const std::string& path) { return {std::make_shared<Source>(path, ""), 0, 0}; }

PolicyError CodeOf(const absl::Status& status) {
  if (absl::IsFailedPrecondition(status)) return PolicyError::kUntrusted;
  if (absl::IsResourceExhausted(status)) return PolicyError::kTooBig;
  return PolicyError::kUnreadable;
}

// The status names the file first, as does the diagnostic: once is enough.
std::string WithoutPath(const absl::Status& status, const std::string& path) {
  const std::string message(status.message());
  const std::string prefix = absl::StrCat(path, ": ");
  return message.rfind(prefix, 0) == 0 ? message.substr(prefix.size()) : message;
}

void LoadFile(const std::string& path, PolicySet& set, Diagnostics& diagnostics,
              std::vector<YamlNode>* documents) {
  absl::StatusOr<std::string> text = ReadTrustedFile(path, kMaxPolicyFileBytes);
  if (!text.ok()) {
    diagnostics.Add(WholeFile(path), CodeOf(text.status()), WithoutPath(text.status(), path));
    return;
  }
  LoadSource(std::make_shared<Source>(path, *std::move(text)), set, diagnostics, documents);
}

bool IsPolicyFile(const fs::path& path) {
  if (path.filename().string().front() == '.') return false;
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

}  // namespace

void LoadSource(const std::shared_ptr<const Source>& source, PolicySet& set,
                Diagnostics& diagnostics, std::vector<YamlNode>* documents) {
  const size_t errors = diagnostics.count();
  std::vector<YamlNode> parsed = ParseYaml(source, diagnostics);
  for (const YamlNode& document : parsed) ReadDocument(document, set, diagnostics);
  if (parsed.empty() && diagnostics.count() == errors) {
    diagnostics.Add({source, 0, 0}, PolicyError::kMissing, "there is no policy in this file");
  }
  if (documents != nullptr) std::move(parsed.begin(), parsed.end(), std::back_inserter(*documents));
}

std::vector<std::string> PolicyFilesIn(const std::string& directory, Diagnostics& diagnostics) {
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (IsPolicyFile(entries->path())) files.push_back(entries->path().string());
  }
  if (error) diagnostics.Add(WholeFile(directory), PolicyError::kUnreadable, error.message());
  std::sort(files.begin(), files.end());
  return files;
}

void LoadPath(const std::string& path, PolicySet& set, Diagnostics& diagnostics,
              std::vector<YamlNode>* documents) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return LoadFile(path, set, diagnostics, documents);
  const size_t errors = diagnostics.count();
  const std::vector<std::string> files = PolicyFilesIn(path, diagnostics);
  if (files.empty() && diagnostics.count() == errors) {
    diagnostics.Add(WholeFile(path), PolicyError::kMissing, "there is no *.yaml file here");
  }
  for (const std::string& file : files) LoadFile(file, set, diagnostics, documents);
}

}  // namespace pagewarden
