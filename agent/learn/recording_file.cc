// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/recording_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "recorder/siphash.h"

namespace pagewarden {
namespace {

using recording::Header;
using recording::Window;

constexpr size_t kNameBytes = 16;

// Words like these are everywhere and tell nothing.
bool IsUniform(const unsigned char* word) {
  return std::all_of(word, word + recording::kWindowBytes,
                     [&](unsigned char byte) { return byte == word[0]; });
}

// The recorder looks one window to each side.
uint32_t RunFor(const Needle& needle) {
  return static_cast<uint32_t>(
      std::clamp<size_t>(needle.min_run, recording::kWindowBytes, 3 * recording::kWindowBytes));
}

std::vector<Window> HashWindows(const NeedleSet& needles, const uint64_t (&key)[2]) {
  std::vector<Window> windows;
  for (uint32_t i = 0; i < needles.size(); ++i) {
    const ByteView bytes = needles.Bytes(needles[i]);
    for (size_t at = 0; at + recording::kWindowBytes <= bytes.size(); ++at) {
      uint64_t word;
      memcpy(&word, bytes.data() + at, sizeof(word));
      const uint64_t hash = IsUniform(bytes.data() + at) ? 0 : recording::SipHash(key, word);
      windows.push_back({hash, i, RunFor(needles[i])});
    }
  }
  return windows;
}

std::vector<uint32_t> IndexWindows(const std::vector<Window>& windows) {
  size_t count = 64;
  while (count < 2 * windows.size()) count *= 2;
  std::vector<uint32_t> slots(count, 0);
  for (size_t i = 0; i < windows.size(); ++i) {
    if (windows[i].hash == 0) continue;
    size_t at = windows[i].hash & (count - 1);
    while (slots[at] != 0) at = (at + 1) & (count - 1);
    slots[at] = static_cast<uint32_t>(i + 1);
  }
  return slots;
}

// Aligned positions are enough for runs that are sure to hold a whole aligned word.
uint64_t StepFor(const NeedleSet& needles) {
  for (size_t i = 0; i < needles.size(); ++i) {
    if (needles[i].min_run < 2 * recording::kWindowBytes - 1) return 1;
  }
  return recording::kWindowBytes;
}

template <typename Record>
recording::Table Place(uint64_t count, uint64_t& end) {
  const recording::Table table{end, count};
  end += (count * sizeof(Record) + 7) / 8 * 8;
  return table;
}

Header LayOut(const NeedleSet& needles, size_t windows, size_t slots, recording::Mode mode) {
  Header header = {};
  memcpy(header.magic, recording::kMagic, sizeof(header.magic));
  header.version = recording::kVersion;
  header.mode = mode;
  header.step = StepFor(needles);
  uint64_t end = sizeof(Header);
  header.processes = Place<recording::Process>(recording::kMaxProcesses, end);
  header.modules = Place<recording::Module>(recording::kMaxModules, end);
  header.stacks = Place<recording::Stack>(recording::kMaxStacks, end);
  header.windows = Place<Window>(windows, end);
  header.slots = Place<uint32_t>(slots, end);
  header.bytes = end;
  return header;
}

absl::StatusOr<UniqueFd> CreateFile(const OwnedDirectory& runtime, std::string& path) {
  const auto directory = runtime.OpenChild("recordings");
  if (!directory.ok()) return directory.status();
  // Not to be listed: who does not know the name cannot open the file.
  if (chmod(directory->path().c_str(), 0711) != 0) return ErrnoStatus(errno, directory->path());
  char name[kNameBytes];
  if (getrandom(name, sizeof(name), 0) != sizeof(name)) return ErrnoStatus(errno, "getrandom");
  path = absl::StrCat(directory->path(), "/",
                      absl::BytesToHexString(absl::string_view(name, sizeof(name))));
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.ok()) return ErrnoStatus(errno, path);
  if (fchmod(fd.get(), 0666) != 0) return ErrnoStatus(errno, path);
  return fd;
}

template <typename Record>
const Record* TableAt(const char* base, uint64_t offset) {
  return reinterpret_cast<const Record*>(base + offset);
}

// The layout is the agent's own: it does not go by what others may have written.
Header OwnLayout() {
  const NeedleSet none;
  return LayOut(none, 0, 0, recording::Mode::kRecord);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordingFile>> RecordingFile::Create(const OwnedDirectory& runtime,
                                                                     const NeedleSet& needles,
                                                                     recording::Mode mode) {
  uint64_t key[2];
  if (getrandom(key, sizeof(key), 0) != sizeof(key)) return ErrnoStatus(errno, "getrandom");
  const std::vector<Window> windows = HashWindows(needles, key);
  const std::vector<uint32_t> slots = IndexWindows(windows);
  Header header = LayOut(needles, windows.size(), slots.size(), mode);
  memcpy(header.hash_key, key, sizeof(key));
  std::string path;
  const auto fd = CreateFile(runtime, path);
  if (!fd.ok()) return fd.status();
  void* base = MAP_FAILED;
  if (ftruncate(fd->get(), static_cast<off_t>(header.bytes)) == 0) {
    base = mmap(nullptr, header.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0);
  }
  if (base == MAP_FAILED) {
    const int error = errno;
    unlink(path.c_str());
    return ErrnoStatus(error, path);
  }
  auto* const bytes = static_cast<char*>(base);
  memcpy(bytes, &header, sizeof(header));
  if (!windows.empty()) {
    memcpy(bytes + header.windows.offset, windows.data(), windows.size() * sizeof(Window));
  }
  memcpy(bytes + header.slots.offset, slots.data(), slots.size() * sizeof(uint32_t));
  return std::unique_ptr<RecordingFile>(new RecordingFile(path, bytes, header.bytes));
}

RecordingFile::~RecordingFile() {
  munmap(base_, bytes_);
  unlink(path_.c_str());
}

std::vector<recording::Stack> RecordingFile::Stacks() const {
  const auto* table = TableAt<recording::Stack>(base_, OwnLayout().stacks.offset);
  std::vector<recording::Stack> stacks(table, table + recording::kMaxStacks);
  const size_t modules = Modules().size();
  for (recording::Stack& stack : stacks) {
    bool valid = stack.state == recording::State::kReady && stack.depth <= recording::kMaxDepth;
    for (uint32_t i = 0; valid && i < stack.depth; ++i) valid = stack.frames[i].module < modules;
    if (!valid) stack = {};
  }
  return stacks;
}

std::vector<recording::Module> RecordingFile::Modules() const {
  const auto* table = TableAt<recording::Module>(base_, OwnLayout().modules.offset);
  std::vector<recording::Module> modules;
  for (uint32_t i = 0; i < recording::kMaxModules; ++i) {
    if (table[i].state != recording::State::kReady) break;
    modules.push_back(table[i]);
    recording::Module& module = modules.back();
    module.build_id_bytes = std::min(module.build_id_bytes, recording::kMaxBuildIdBytes);
    module.path[sizeof(module.path) - 1] = '\0';
  }
  return modules;
}

std::optional<recording::Process> RecordingFile::ProcessOf(pid_t pid) const {
  const auto* table = TableAt<recording::Process>(base_, OwnLayout().processes.offset);
  for (uint32_t i = 0; i < recording::kMaxProcesses; ++i) {
    if (table[i].pid == pid) return table[i];
  }
  return std::nullopt;
}

uint64_t RecordingFile::lost() const { return TableAt<Header>(base_, 0)->lost; }

}  // namespace pagewarden
