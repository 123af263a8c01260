// SPDX-License-Identifier: Apache-2.0
#include "agent/state/book_files.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/base/files.h"

namespace pagewarden {
namespace {

constexpr char kBooks[] = "books.json";
constexpr char kOldBooks[] = "books.1.json";
constexpr char kJournal[] = "books.journal";
constexpr char kOldJournal[] = "books.1.journal";
constexpr absl::string_view kBooksHeading = "pagewarden books 1 ";
constexpr absl::string_view kJournalHeading = "pagewarden journal 1 ";
constexpr size_t kMaxBytes = 256 << 20;

// Lines end with a line break; false: there is none any more.
bool TakeLine(absl::string_view& text, absl::string_view& line) {
  const size_t end = text.find('\n');
  if (end == absl::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string FormatBookFile(uint64_t generation, absl::string_view books) {
  return absl::StrCat(kBooksHeading, generation, " ", ChecksumOf(books), "\n", books, "\n");
}

bool ParseBookFile(absl::string_view text, uint64_t& generation, StoredBooks& stored) {
  absl::string_view heading;
  absl::string_view books;
  if (!TakeLine(text, heading) || !TakeLine(text, books) || !text.empty()) return false;
  if (!absl::ConsumePrefix(&heading, kBooksHeading)) return false;
  const std::vector<absl::string_view> words = absl::StrSplit(heading, ' ');
  return words.size() == 2 && absl::SimpleAtoi(words[0], &generation) &&
         words[1] == ChecksumOf(books) && ApplyBooks(books, stored);
}

size_t ParseBookJournal(absl::string_view text, uint64_t& generation,
                        std::vector<absl::string_view>& lines) {
  const char* const start = text.data();
  absl::string_view line;
  if (!TakeLine(text, line) || !absl::ConsumePrefix(&line, kJournalHeading) ||
      !absl::SimpleAtoi(line, &generation)) {
    return 0;
  }
  size_t sound = static_cast<size_t>(text.data() - start);
  while (TakeLine(text, line)) {
    const size_t blank = line.find(' ');
    if (blank == absl::string_view::npos) break;
    const absl::string_view books = line.substr(blank + 1);
    if (line.substr(0, blank) != ChecksumOf(books)) break;
    lines.push_back(books);
    sound = static_cast<size_t>(text.data() - start);
  }
  return sound;
}

bool BookFiles::LoadFile(const std::string& name, LoadedBooks& loaded,
                         std::vector<std::string>& notes) {
  const auto text = directory_.Read(name, kMaxBytes);
  if (absl::IsNotFound(text.status())) return false;
  StoredBooks stored;
  if (text.ok() && ParseBookFile(*text, generation_, stored)) {
    loaded.stored = std::move(stored);
    return true;
  }
  generation_ = 0;
  notes.push_back(text.ok() ? absl::StrCat(directory_.PathOf(name), ": damaged, not used")
                            : std::string(text.status().message()));
  return false;
}

void BookFiles::LoadJournal(const std::string& name, uint64_t least_generation, bool is_current,
                            LoadedBooks& loaded, std::vector<std::string>& notes) {
  const auto text = directory_.Read(name, kMaxBytes);
  if (!text.ok()) return;
  uint64_t generation = 0;
  std::vector<absl::string_view> lines;
  const size_t sound = ParseBookJournal(*text, generation, lines);
  if (sound == 0 || generation < least_generation) return;
  for (const absl::string_view line : lines) {
    StoredBooks change;
    if (!ApplyBooks(line, change)) continue;
    for (auto& [policy, book] : change.books.policies) RaiseTo(book, loaded.floors[policy]);
    StoredBooks& all = loaded.stored;
    for (auto& [path, book] : change.books.cgroups) all.books.cgroups[path] = std::move(book);
    for (auto& [path, seen] : change.oom_seen) all.oom_seen[path] = seen;
    for (auto& [pid, process] : change.skipped) all.skipped[pid] = std::move(process);
    for (const auto& [reason, count] : change.books.shims_skipped) {
      all.books.shims_skipped[reason] = count;
    }
  }
  if (sound < text->size()) {
    notes.push_back(absl::StrCat(directory_.PathOf(name), ": ", text->size() - sound,
                                 " bytes of a write that did not end, not used"));
  }
  if (!is_current) return;
  generation_ = generation;
  journal_bytes_ = sound;
}

LoadedBooks BookFiles::Load(std::vector<std::string>& notes) {
  LoadedBooks loaded;
  file_is_sound_ = LoadFile(kBooks, loaded, notes);
  if (!file_is_sound_ && LoadFile(kOldBooks, loaded, notes)) {
    notes.push_back(absl::StrCat(directory_.PathOf(kOldBooks), ": used in its place"));
  }
  const uint64_t of_file = generation_;
  LoadJournal(kOldJournal, of_file, /*is_current=*/false, loaded, notes);
  LoadJournal(kJournal, of_file, /*is_current=*/true, loaded, notes);
  return loaded;
}

absl::Status BookFiles::Append(absl::string_view books) {
  if (!journal_) {
    auto opened = SegmentFile::Open(directory_, kJournal, journal_bytes_);
    if (absl::IsDataLoss(opened.status())) {
      journal_bytes_ = 0;
      opened = SegmentFile::Open(directory_, kJournal, 0);
    }
    if (!opened.ok()) return opened.status();
    journal_.emplace(*std::move(opened));
  }
  std::string lines;
  if (journal_bytes_ == 0) lines = absl::StrCat(kJournalHeading, generation_, "\n");
  absl::StrAppend(&lines, ChecksumOf(books), " ", books, "\n");
  absl::Status status = journal_->Append(lines, /*durable=*/false);
  journal_bytes_ = journal_->size();
  if (!status.ok()) journal_.reset();
  return status;
}

absl::Status BookFiles::Save(absl::string_view books) {
  // Killed after the first step: the journal is of a generation that the file has in it.
  journal_.reset();
  const std::string text = FormatBookFile(generation_ + 1, books);
  absl::Status status = directory_.Replace(kBooks, text, file_is_sound_ ? kOldBooks : "");
  if (!status.ok()) return status;
  ++generation_;
  file_is_sound_ = true;
  const bool has_journal = std::exchange(journal_bytes_, 0) > 0;
  if (has_journal && renameat(directory_.fd(), kJournal, directory_.fd(), kOldJournal) != 0 &&
      errno != ENOENT) {
    return ErrnoStatus(errno, directory_.PathOf(kJournal));
  }
  return absl::OkStatus();
}

}  // namespace pagewarden
