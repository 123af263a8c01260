// SPDX-License-Identifier: Apache-2.0
#include "agent/elf/loader_cache.h"

#include <cstdint>
#include <cstring>

#include "absl/strings/match.h"
#include "agent/elf/elf_reader.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr absl::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr uint32_t kHostLibrary = 0x0303;  // FLAG_ELF_LIBC6, FLAG_X8664_LIB64
constexpr size_t kMaxCacheBytes = 16 << 20;

struct Header {
  char magic[20];
  uint32_t count;
  uint32_t string_bytes;
  uint32_t unused[5];
};

struct Entry {
  uint32_t flags;
  uint32_t key;  // text, from the start of the file
  uint32_t value;
  uint32_t os_version;
  uint64_t hardware;
};

static_assert(sizeof(Header) == 48 && sizeof(Entry) == 24);

}  // namespace

LoaderCache ParseLoaderCache(absl::string_view bytes) {
  LoaderCache cache;
  if (!absl::StartsWith(bytes, kMagic) || bytes.size() < sizeof(Header)) return cache;
  Header header;
  memcpy(&header, bytes.data(), sizeof(header));
  const absl::string_view table = bytes.substr(sizeof(header));
  if (header.count > table.size() / sizeof(Entry)) return cache;
  for (size_t i = 0; i < header.count; ++i) {
    Entry entry;
    memcpy(&entry, table.data() + i * sizeof(entry), sizeof(entry));
    if (entry.flags != kHostLibrary || entry.hardware != 0) continue;
    const absl::string_view name = ElfText(bytes, entry.key);
    const absl::string_view path = ElfText(bytes, entry.value);
    if (!name.empty() && !path.empty()) cache.try_emplace(name, path);
  }
  return cache;
}

LoaderCache ReadLoaderCache(const std::string& path) {
  const auto bytes = ReadBoundedFile(path, kMaxCacheBytes);
  return bytes.ok() ? ParseLoaderCache(*bytes) : LoaderCache();
}

}  // namespace pagewarden
