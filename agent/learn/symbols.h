// SPDX-License-Identifier: Apache-2.0
// Names for code, as far as dynamic symbol tables know them: for people to read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pagewarden {

class Symbols {
 public:
  // "bn_expand2" or, without a symbol, "libcrypto.so.3+0x1234".
  std::string NameOf(const std::string& path, uint64_t offset);

 private:
  struct Function {
    uint64_t address;
    uint64_t bytes;
    std::string name;
  };
  const std::vector<Function>& Functions(const std::string& path);

  std::map<std::string, std::vector<Function>> modules_;  // by address
};

}  // namespace pagewarden
