// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/exec_texts.h"

#include <elf.h>

#include <cstring>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pagewarden {

std::optional<bool> SecureExecutionOf(absl::string_view auxv) {
  std::optional<bool> secure;
  for (size_t at = 0; at + sizeof(Elf64_auxv_t) <= auxv.size(); at += sizeof(Elf64_auxv_t)) {
    Elf64_auxv_t entry;
    memcpy(&entry, auxv.data() + at, sizeof(entry));
    if (entry.a_type == AT_SECURE) secure = entry.a_un.a_val != 0;
  }
  return secure;
}

std::string PreloadOf(absl::string_view environment) {
  std::string preload;
  for (absl::string_view variable : absl::StrSplit(environment, '\0')) {
    if (absl::ConsumePrefix(&variable, "LD_PRELOAD=")) preload = std::string(variable);
  }
  return preload;
}

}  // namespace pagewarden
