// SPDX-License-Identifier: Apache-2.0
// What is wrong with a policy, said so that an operator can fix it: every error and
// warning of a run, each with its place, its line of source and a stable code.
//
//   Diagnostics diagnostics;
//   diagnostics.Add(node.at, PolicyError::kUnknownKey, "unknown key \"mdoe\"",
//                   "did you mean \"mode\"?");
//   std::cerr << diagnostics.Render();
//
//   nginx.yaml:5:3: error PW-P010: unknown key "mdoe"
//     mdoe: Audit
//     ^
//     did you mean "mode"?
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pagewarden {

// Rendered as PW-P and three digits. Numbers are never reused.
enum class PolicyError {
  kUnreadable = 1,
  kUntrusted = 2,
  kBadCharacter = 3,
  kSyntax = 4,
  kForbiddenYaml = 5,
  kTooBig = 6,
  kUnknownKey = 10,
  kDuplicateKey = 11,
  kWrongType = 12,
  kMissing = 13,
  kUnknownWord = 14,
  kBadQuantity = 15,
  kOutOfRange = 16,
  kUnknownVersion = 17,
  kDuplicateName = 20,
  kUnknownArena = 21,
  kUnknownPreset = 22,
  kNotAbsolute = 23,
  kConflict = 24,
  kBadName = 25,
  kReserved = 26,
  kBadDay = 27,

  // From here on, warnings: what is accepted, and is probably not meant.
  kOverlap = 101,
  kExpired = 102,
  kNeverBinds = 103,
  kAboveDefaultLimit = 104,
  kNeverApplies = 105,
};

constexpr bool IsWarning(PolicyError code) { return static_cast<int>(code) >= 100; }

// A policy file, kept for as long as something points into it.
class Source {
 public:
  // A byte order mark is dropped.
  Source(std::string name, std::string text);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

  // The line (1-based) without its end; empty past the last one.
  absl::string_view Line(int line) const;

 private:
  std::string name_;
  std::string text_;
};

struct Position {
  std::shared_ptr<const Source> source;
  int line = 0;    // 1-based; 0: the file as a whole
  int column = 0;  // 1-based, in bytes

  size_t CharacterColumn() const;  // 1-based, as editors count

  // "file:line:column", with the column in characters.
  std::string ToString() const;
};

struct Diagnostic {
  Position at;
  PolicyError code = PolicyError::kUnreadable;
  std::string message;
  std::string hint;  // may be empty

  std::string CodeText() const;  // "PW-P010"
  std::string Render() const;
};

class Diagnostics {
 public:
  // Beyond this many, errors are counted, not kept; so are warnings.
  static constexpr size_t kMaxKept = 100;

  void Add(const Position& at, PolicyError code, std::string message, std::string hint = "");

  // Of errors; warnings hinder nothing.
  bool empty() const { return errors_ == 0; }
  size_t count() const { return errors_; }
  size_t warnings() const { return warnings_; }

  // Those that were kept, file by file in the order of first mention, top to bottom.
  std::vector<Diagnostic> Sorted() const;
  std::string Render() const;

 private:
  std::vector<Diagnostic> kept_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
};

// Text from a policy, in double quotes, safe for a terminal and cut to a
// readable length.
std::string Quoted(absl::string_view text);

}  // namespace pagewarden
