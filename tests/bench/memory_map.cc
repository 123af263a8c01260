// SPDX-License-Identifier: Apache-2.0
#include "memory_map.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

namespace pagewarden::bench {
namespace {

constexpr size_t kMaxLockedRanges = 1 << 17;  // above vm.max_map_count's default

class LineReader {
 public:
  explicit LineReader(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC)) {}
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  ~LineReader() { close(fd_); }

  // The next line, without its end; null after the last one.
  char* Next() {
    for (;;) {
      char* const line = buffer_ + begin_;
      if (void* const newline = memchr(line, '\n', end_ - begin_)) {
        *static_cast<char*>(newline) = 0;
        begin_ = static_cast<size_t>(static_cast<char*>(newline) - buffer_) + 1;
        return line;
      }
      if (!Refill()) return nullptr;
    }
  }

 private:
  bool Refill() {
    memmove(buffer_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const ssize_t got = read(fd_, buffer_ + end_, sizeof(buffer_) - end_);
    if (got <= 0) return false;
    end_ += static_cast<size_t>(got);
    return true;
  }

  const int fd_;
  char buffer_[65536];
  size_t begin_ = 0;
  size_t end_ = 0;
};

bool StartsWith(const char* line, const char* prefix) {
  return strncmp(line, prefix, strlen(prefix)) == 0;
}

size_t Kibibytes(const char* line) { return strtoull(strchr(line, ':') + 1, nullptr, 10) * 1024; }

bool ParseHeader(char* line, Mapping& mapping) {
  char* cursor = nullptr;
  const uint64_t begin = strtoull(line, &cursor, 16);
  if (cursor == line || *cursor != '-') return false;
  mapping = Mapping();
  mapping.begin = begin;
  mapping.end = strtoull(cursor + 1, nullptr, 16);
  return true;
}

size_t FieldOfStatus(const char* name) {
  LineReader lines("/proc/self/status");
  while (const char* line = lines.Next()) {
    if (StartsWith(line, name)) return Kibibytes(line);
  }
  return 0;
}

}  // namespace

void ForEachMapping(const std::function<void(const Mapping&)>& visit) {
  LineReader lines("/proc/self/smaps");
  Mapping mapping;
  while (char* line = lines.Next()) {
    if (ParseHeader(line, mapping)) continue;
    if (StartsWith(line, "Rss:")) mapping.resident = Kibibytes(line);
    if (StartsWith(line, "Private_Dirty:")) mapping.private_dirty = Kibibytes(line);
    if (!StartsWith(line, "VmFlags:")) continue;  // the last line of each entry
    mapping.locked = strstr(line, " lo") != nullptr;
    visit(mapping);
  }
}

size_t LockedBytes() { return FieldOfStatus("VmLck:"); }
size_t AnonymousBytes() { return FieldOfStatus("RssAnon:"); }

MemoryMap::MemoryMap() { locked_.reserve(kMaxLockedRanges); }

void MemoryMap::Read() {
  locked_.clear();
  mappings_ = 0;
  ForEachMapping([this](const Mapping& mapping) { Add(mapping); });
}

void MemoryMap::Add(const Mapping& mapping) {
  ++mappings_;
  if (!mapping.locked) return;
  if (!locked_.empty() && locked_.back().end == mapping.begin) {
    locked_.back().end = mapping.end;
  } else {
    locked_.push_back({mapping.begin, mapping.end});
  }
}

bool MemoryMap::IsLocked(const void* block, size_t bytes) const {
  const auto begin = reinterpret_cast<uint64_t>(block);
  const auto after =
      std::upper_bound(locked_.begin(), locked_.end(), begin,
                       [](uint64_t address, const Range& range) { return address < range.begin; });
  return after != locked_.begin() && begin + bytes <= std::prev(after)->end;
}

}  // namespace pagewarden::bench
