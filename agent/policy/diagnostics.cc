// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/diagnostics.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/policy/utf8.h"

namespace pagewarden {
namespace {

constexpr size_t kShownBefore = 80;  // bytes of a long line around its error
constexpr size_t kShownAfter = 60;
constexpr size_t kQuotedBytes = 60;

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

size_t Characters(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuationByte(c); }));
}

absl::string_view BeforeColumn(absl::string_view line, int column) {
  return line.substr(0, static_cast<size_t>(std::max(column - 1, 0)));
}

// Control characters could drive the reader's terminal, and what is not UTF-8 break the tools
// that read this. For short texts.
std::string Printable(absl::string_view text) {
  std::string shown(text);
  for (size_t bad = FindBadCharacter(shown); bad < shown.size(); bad = FindBadCharacter(shown)) {
    shown[bad] = '?';
  }
  for (char& c : shown) {
    if (c == '\r' || c == '\n') c = '?';
  }
  return shown;
}

// Tabs stay tabs, so that the caret lands under its column at any tab width.
std::string CaretLine(absl::string_view before) {
  std::string line;
  for (char c : before) {
    if (!IsContinuationByte(c)) line += c == '\t' ? '\t' : ' ';
  }
  return line + '^';
}

// The source line and the caret under it, of a long line only the part around.
std::string Excerpt(const Position& at) {
  absl::string_view line = at.source->Line(at.line);
  absl::string_view before = BeforeColumn(line, at.column);
  if (before.size() > kShownBefore) {
    size_t cut = before.size() - kShownBefore;
    while (cut < before.size() && IsContinuationByte(before[cut])) ++cut;
    line.remove_prefix(cut);
    before.remove_prefix(cut);
  }
  size_t end = std::min(line.size(), before.size() + kShownAfter);
  while (end < line.size() && IsContinuationByte(line[end])) ++end;
  return absl::StrCat("  ", Printable(line.substr(0, end)), "\n  ", CaretLine(before), "\n");
}

}  // namespace

Source::Source(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  if (absl::StartsWith(text_, "\xef\xbb\xbf")) text_.erase(0, 3);
}

absl::string_view Source::Line(int line) const {
  absl::string_view rest = text_;
  for (int i = 1; i < line; ++i) {
    const size_t newline = rest.find('\n');
    if (newline == absl::string_view::npos) return "";
    rest.remove_prefix(newline + 1);
  }
  rest = rest.substr(0, rest.find('\n'));
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  return rest;
}

size_t Position::CharacterColumn() const {
  return Characters(BeforeColumn(source->Line(line), column)) + 1;
}

std::string Position::ToString() const {
  if (source == nullptr) return "(built in)";
  std::string name = Printable(source->name());
  if (line == 0) return name;
  return absl::StrCat(name, ":", line, ":", CharacterColumn());
}

std::string Diagnostic::CodeText() const {
  return absl::StrFormat("PW-P%03d", static_cast<int>(code));
}

std::string Diagnostic::Render() const {
  std::string text = absl::StrCat(at.ToString(), ": ", IsWarning(code) ? "warning " : "error ",
                                  CodeText(), ": ", message, "\n");
  if (at.source != nullptr && at.line > 0) absl::StrAppend(&text, Excerpt(at));
  if (!hint.empty()) absl::StrAppend(&text, "  ", hint, "\n");
  return text;
}

void Diagnostics::Add(const Position& at, PolicyError code, std::string message, std::string hint) {
  size_t& count = IsWarning(code) ? warnings_ : errors_;
  if (++count <= kMaxKept) kept_.push_back({at, code, std::move(message), std::move(hint)});
}

std::vector<Diagnostic> Diagnostics::Sorted() const {
  absl::flat_hash_map<const Source*, size_t> file_order;
  for (const Diagnostic& diagnostic : kept_) {
    file_order.try_emplace(diagnostic.at.source.get(), file_order.size());
  }
  const auto rank = [&](const Diagnostic& d) {
    return std::make_tuple(file_order[d.at.source.get()], d.at.line, d.at.column);
  };
  std::vector<Diagnostic> sorted = kept_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return rank(a) < rank(b); });
  return sorted;
}

std::string Diagnostics::Render() const {
  std::string text;
  for (const Diagnostic& diagnostic : Sorted()) absl::StrAppend(&text, diagnostic.Render());
  if (errors_ > kMaxKept) absl::StrAppend(&text, "and ", errors_ - kMaxKept, " more errors\n");
  if (warnings_ > kMaxKept) {
    absl::StrAppend(&text, "and ", warnings_ - kMaxKept, " more warnings\n");
  }
  return text;
}

std::string Quoted(absl::string_view text) {
  if (text.size() <= kQuotedBytes) return absl::StrCat("\"", absl::Utf8SafeCEscape(text), "\"");
  size_t end = kQuotedBytes;
  while (end > 0 && IsContinuationByte(text[end])) --end;
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text.substr(0, end)), "…\"");
}

}  // namespace pagewarden
