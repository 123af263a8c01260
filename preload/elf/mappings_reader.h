// SPDX-License-Identifier: Apache-2.0
// This process's mappings, one after the other, from /proc/self/maps.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden {

struct Mapping {
  uint64_t begin;
  uint64_t end;
  bool writable;
  bool shared;
};

class MappingsReader {
 public:
  MappingsReader();
  ~MappingsReader();
  MappingsReader(const MappingsReader&) = delete;
  MappingsReader& operator=(const MappingsReader&) = delete;

  // False: there are no more, or the file cannot be read.
  bool Next(Mapping* out);

 private:
  int Get();  // the next character; -1: none
  uint64_t ReadHex();
  void DropLine();

  long file_;
  char buffer_[2048];
  size_t used_ = 0;
  size_t at_ = 0;
};

}  // namespace pagewarden
