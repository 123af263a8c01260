// SPDX-License-Identifier: Apache-2.0
// From a swap area down to its disk: dm-crypt may lie anywhere between, LVM on LUKS
// being the usual way (Documentation/admin-guide/device-mapper).
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/doctor/host_facts.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxTextBytes = 64 << 10;
constexpr int kMaxDepth = 8;

std::string ReadLine(const std::string& path) {
  const std::string text = ReadBoundedFile(path, kMaxTextBytes).value_or("");
  return std::string(absl::StripAsciiWhitespace(text));
}

// The kernel writes blanks as \040 (fs/seq_file.c, mangle_path).
std::string Unescape(absl::string_view text) {
  std::string path;
  for (size_t i = 0; i < text.size(); ++i) {
    const absl::string_view digits = text.substr(i + 1, 3);
    if (text[i] == '\\' && digits.size() == 3 &&
        digits.find_first_not_of("01234567") == absl::string_view::npos) {
      path += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + digits[2] - '0');
      i += 3;
    } else {
      path += text[i];
    }
  }
  return path;
}

std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

struct Walk {
  const std::string& root;
  std::string device;  // that decided it
};

Storage OfFile(Walk& walk, const std::string& path, int depth);

Storage OfDevice(Walk& walk, const std::string& name, int depth) {
  const std::string directory = absl::StrCat(walk.root, "/sys/class/block/", name);
  std::error_code error;
  if (depth > kMaxDepth || !fs::exists(directory, error)) return Storage::kUnknown;
  walk.device = name;
  const std::string uuid = ReadLine(absl::StrCat(directory, "/dm/uuid"));
  if (absl::StartsWith(uuid, "CRYPT-")) {
    walk.device = absl::StrCat(name, " (", uuid.substr(0, uuid.find('-', 6)), ")");
    return Storage::kEncrypted;
  }
  if (absl::StartsWith(name, "zram")) {
    const std::string backing = ReadLine(absl::StrCat(directory, "/backing_dev"));
    return backing.empty() || backing == "none" ? Storage::kMemory : Storage::kMemoryAndDisk;
  }
  const std::string loop = ReadLine(absl::StrCat(directory, "/loop/backing_file"));
  if (!loop.empty()) return OfFile(walk, loop, depth + 1);
  // Encrypted where all that it consists of is.
  Storage worst = Storage::kPlain;
  for (const std::string& below : NamesIn(absl::StrCat(directory, "/slaves"))) {
    worst = OfDevice(walk, below, depth + 1);
    if (worst != Storage::kEncrypted) return worst;
  }
  return worst;
}

// What is mounted where the file lies: btrfs gives files devices of its own.
std::string MountSource(const std::string& root, const std::string& path) {
  const std::string text =
      ReadBoundedFile(absl::StrCat(root, "/proc/self/mountinfo"), 16 << 20).value_or("");
  std::string source;
  size_t longest = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    const size_t dash = line.find(" - ");
    if (fields.size() < 5 || dash == absl::string_view::npos) continue;
    const std::string point = Unescape(fields[4]);
    const bool above = point == "/" || path == point || absl::StartsWith(path, point + "/");
    const std::vector<std::string> rest = absl::StrSplit(line.substr(dash + 3), ' ');
    if (!above || point.size() < longest || rest.size() < 2) continue;
    longest = point.size();
    source = Unescape(rest[1]);
  }
  return source;
}

Storage OfFile(Walk& walk, const std::string& path, int depth) {
  const std::string source = MountSource(walk.root, path);
  absl::string_view name = source;
  if (!absl::ConsumePrefix(&name, "/dev/")) return Storage::kUnknown;
  std::error_code error;
  const fs::path real = fs::canonical(absl::StrCat(walk.root, source), error);
  return OfDevice(walk,
                  error ? std::string(name.substr(name.rfind('/') + 1)) : real.filename().string(),
                  depth);
}

}  // namespace

std::vector<SwapArea> ParseSwaps(absl::string_view text) {
  std::vector<SwapArea> areas;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    SwapArea area;
    uint64_t kilobytes = 0;
    if (fields.size() != 5 || !absl::SimpleAtoi(fields[2], &kilobytes)) continue;
    area.path = Unescape(fields[0]);
    area.bytes = kilobytes << 10;
    areas.push_back(std::move(area));
  }
  return areas;
}

void FindStorage(const std::string& root, SwapArea& area) {
  Walk walk{root, ""};
  std::error_code error;
  const fs::path real = fs::canonical(root + area.path, error);
  const std::string path = error ? area.path : real.string();
  const absl::string_view inside = absl::string_view(path).substr(error ? 0 : root.size());
  area.storage = absl::StartsWith(inside, "/dev/")
                     ? OfDevice(walk, std::string(inside.substr(inside.rfind('/') + 1)), 0)
                     : OfFile(walk, std::string(inside), 0);
  area.device = walk.device;
}

}  // namespace pagewarden
