// SPDX-License-Identifier: Apache-2.0
// pw-count FILE --secret KEY: counts copies of secrets in a file, a swap file
// above all. O_DIRECT: the kernel writes swap beside the file's page cache.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/proof/copies.h"
#include "agent/proof/needles.h"
#include "agent/proof/scanner.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr size_t kAlignment = 4096;  // of O_DIRECT: no more than a page

absl::StatusOr<std::vector<Fragment>> ScanFile(int fd, const Scanner& scanner) {
  // The end of each chunk is kept just below the next, which stays aligned.
  SecretBytes buffer(kAlignment + kChunkBytes);
  unsigned char* const chunk = buffer.data() + kAlignment;
  std::vector<Fragment> fragments;
  size_t kept = 0;
  for (uint64_t at = 0;;) {
    const ssize_t got = pread(fd, chunk, kChunkBytes, static_cast<off_t>(at));
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("read at ", at));
    if (got == 0) return fragments;
    const size_t used = kept + static_cast<size_t>(got);
    scanner.Scan(ByteView(chunk - kept, used), at - kept, fragments);
    at += static_cast<uint64_t>(got);
    const unsigned char* const end = chunk + got;
    kept = std::min(used, Scanner::kOverlap);
    memmove(chunk - kept, end - kept, kept);
  }
}

void PrintCounts(const NeedleSet& needles, const std::vector<Copy>& copies) {
  std::map<std::string, size_t> counts;
  for (size_t i = 0; i < needles.size(); ++i) counts[needles[i].representation] = 0;
  for (const Copy& copy : copies) ++counts[needles[copy.needle].representation];
  std::cout << copies.size() << "\n";
  for (const auto& [representation, count] : counts) {
    std::cout << representation << " " << count << "\n";
  }
}

int Count(const std::string& path, const NeedleSet& needles) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (fd < 0) {
    std::cerr << "pw-count: " << path << " : open with O_DIRECT: " << strerror(errno) << "\n";
    return kExitPartialData;
  }
  absl::Cleanup close_file = [fd] { close(fd); };
  auto fragments = ScanFile(fd, Scanner(needles));
  if (!fragments.ok()) {
    std::cerr << "pw-count: " << path << " : " << fragments.status().message() << "\n";
    return kExitPartialData;
  }
  PrintCounts(needles, MergeFragments(needles, *std::move(fragments)));
  return kExitClean;
}

int Main(int argc, char** argv) {
  CLI::App app{
      "Counts the copies of secrets in a file, read past the page cache. Prints the number, then "
      "a line with the number for each representation.",
      "pw-count"};
  std::string path;
  std::vector<std::string> key_files;
  std::vector<std::string> text_files;
  app.add_option("file", path, "File or block device to search")->required();
  app.add_option("--secret", key_files, "Private keys, PEM or DER; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--secret-text-file", text_files, "A text secret; may be repeated")
      ->allow_extra_args(false);
  try {
    app.parse(argc, argv);
    if (key_files.empty() && text_files.empty()) {
      throw CLI::ValidationError("pw-count", "give --secret or --secret-text-file");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitClean : kExitUsage;
  }
  const auto needles = LoadNeedles(key_files, text_files);
  if (!needles.ok()) {
    std::cerr << "pw-count: " << needles.status().message() << "\n";
    return kExitUsage;
  }
  return Count(path, *needles);
}

}  // namespace
}  // namespace pagewarden

int main(int argc, char** argv) { return pagewarden::Main(argc, argv); }
