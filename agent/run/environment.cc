// SPDX-License-Identifier: Apache-2.0
#include "agent/run/environment.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "preload/abi/environment.h"

namespace pagewarden {
namespace {

// Removes every "name=…" and returns the first value, as getenv would.
std::string Take(const std::string& name, std::vector<std::string>& variables) {
  const std::string prefix = absl::StrCat(name, "=");
  std::string value;
  std::vector<std::string> rest;
  bool found = false;
  for (std::string& variable : variables) {
    if (!absl::StartsWith(variable, prefix)) {
      rest.push_back(std::move(variable));
    } else if (!found) {
      value = variable.substr(prefix.size());
      found = true;
    }
  }
  variables = std::move(rest);
  return value;
}

}  // namespace

std::vector<std::string> ShimEnvironment(const std::vector<std::string>& current,
                                         const PublishedPolicy& published,
                                         const std::string& shim_path,
                                         const std::map<std::string, std::string>& of_policy) {
  std::vector<std::string> variables = current;
  const std::string present = Take("LD_PRELOAD", variables);
  Take("LD_BIND_NOW", variables);
  Take(abi::kImageVariable, variables);
  std::vector<std::string> preload = {published.scopes_path, shim_path, present};
  preload.erase(std::remove(preload.begin(), preload.end(), ""), preload.end());
  variables.push_back(absl::StrCat("LD_PRELOAD=", absl::StrJoin(preload, ":")));
  variables.push_back("LD_BIND_NOW=1");
  variables.push_back(absl::StrCat(abi::kImageVariable, "=", published.image_path));
  for (const auto& [name, value] : of_policy) {
    Take(name, variables);
    variables.push_back(absl::StrCat(name, "=", value));
  }
  return variables;
}

}  // namespace pagewarden
