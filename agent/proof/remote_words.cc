// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/remote_words.h"

namespace pagewarden {

const unsigned char* RemoteWords::Find(uint64_t address, size_t bytes) {
  const auto holds = [&] {
    return address >= start_ && address - start_ < used_ && bytes <= used_ - (address - start_);
  };
  if (!holds()) {
    start_ = address;
    used_ = read_(address, block_.data(), block_.size());
  }
  return holds() ? block_.data() + (address - start_) : nullptr;
}

}  // namespace pagewarden
