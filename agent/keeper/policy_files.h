// SPDX-License-Identifier: Apache-2.0
// Whether files that policies are read from are as they were, without reading them.
#pragma once

#include <string>
#include <vector>

namespace pagewarden {

// Of the *.yaml and *.yml files in `directories` and of `files`: names, and what stat(2)
// says of what they lead to. Another text: something may have changed.
std::string PolicyFilesPrint(const std::vector<std::string>& directories,
                             const std::vector<std::string>& files);

}  // namespace pagewarden
