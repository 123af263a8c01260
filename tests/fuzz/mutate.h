// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>

namespace pagewarden {

// Flips, overwrites, cuts, repeats: one to four changes.
class Mutator {
 public:
  std::string operator()(std::string bytes) {
    const uint64_t changes = 1 + random_() % 4;
    for (uint64_t i = 0; i < changes && !bytes.empty(); ++i) Change(bytes);
    return bytes;
  }

 private:
  void Change(std::string& bytes) {
    const size_t at = random_() % bytes.size();
    switch (random_() % 6) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random_() % 8);
        return;
      case 1:
        bytes[at] = static_cast<char>(random_());
        return;
      case 2:  // extreme lengths and offsets
        for (size_t i = at; i < bytes.size() && i < at + 8; ++i) bytes[i] = '\xff';
        return;
      case 3:
        bytes.resize(at);
        return;
      case 4:
        bytes.insert(at, bytes.substr(at, random_() % 64));
        return;
      case 5:
        bytes.erase(at, random_() % 64);
        return;
    }
  }

  std::mt19937_64 random_{20231};
};

}  // namespace pagewarden
