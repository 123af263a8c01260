// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/executable_facts.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/xattr.h>

#include <cstring>

#include "agent/base/unique_fd.h"

namespace pagewarden {
namespace {

uint32_t Word(const std::string& bytes, size_t index) {
  uint32_t word = 0;
  memcpy(&word, bytes.data() + index * sizeof(word), sizeof(word));
  return le32toh(word);
}

}  // namespace

FileCapabilities ParseFileCapabilities(const std::string& attribute) {
  FileCapabilities capabilities;
  if (attribute.size() < XATTR_CAPS_SZ_1) return capabilities;
  const uint32_t magic = Word(attribute, 0);
  const uint32_t revision = magic & VFS_CAP_REVISION_MASK;
  const bool long_form = revision == VFS_CAP_REVISION_2 || revision == VFS_CAP_REVISION_3;
  if (long_form && attribute.size() < XATTR_CAPS_SZ_2) return capabilities;
  capabilities.effective = (magic & VFS_CAP_FLAGS_EFFECTIVE) != 0;
  capabilities.permitted = Word(attribute, 1);
  if (long_form) capabilities.permitted |= uint64_t{Word(attribute, 3)} << 32;
  return capabilities;
}

ExecutableFacts ReadExecutableFacts(const std::string& path) {
  ExecutableFacts facts;
  facts.path = path;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) return facts;
  facts.readable = true;
  const absl::StatusOr<ElfSummary> elf = ReadElfSummary(fd.get());
  if (elf.ok()) facts.elf = *elf;
  facts.privileges = ReadFilePrivileges(fd.get());
  std::string attribute(XATTR_CAPS_SZ, '\0');
  const ssize_t size =
      fgetxattr(fd.get(), "security.capability", attribute.data(), attribute.size());
  attribute.resize(size < 0 ? 0 : static_cast<size_t>(size));
  facts.capabilities = ParseFileCapabilities(attribute);
  return facts;
}

}  // namespace pagewarden
