// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "agent/policy/utf8.h"

namespace pagewarden {
namespace {

// yaml-cpp looks for the end of what may be a key as far as the line goes, and keeps all
// on the way: some 250 bytes for each bracket.
constexpr size_t kMaxYamlLine = 64 << 10;

// More than any file of 1 MiB that people or `pagewarden learn` write. Without it, one that
// is all punctuation would take 100 times its size.
constexpr size_t kMaxYamlNodes = 50'000;

// Leaves yaml-cpp's parser early; never escapes this file.
struct StopParsing {};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::shared_ptr<const Source>& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  std::vector<YamlNode> TakeDocuments() { return std::move(documents_); }
  bool empty() const { return documents_.empty(); }

  Position At(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_.size() < kMaxYamlDocuments) return;
    Stop(mark, absl::StrCat("more than ", kMaxYamlDocuments, " documents in one file"));
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    RefuseAnchor(mark, anchor);
    if (open_.empty()) return;  // an empty document
    Attach(NewNode(YamlNode::Kind::kNull, mark));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases (*name) are not accepted");
    if (!open_.empty()) Attach(NewNode(YamlNode::Kind::kRefused, mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    YamlNode node = NewNode(YamlNode::Kind::kScalar, mark);
    node.value = value;
    node.quoted = tag == "!";
    Attach(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kList, mark, tag, anchor);
  }

  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kMap, mark, tag, anchor);
  }

  void OnMapEnd() override {
    CheckKeys(open_.back().node);
    Close();
  }

 private:
  struct OpenNode {
    YamlNode node;
    bool awaits_value = false;  // kMap: the last entry has only its key yet
  };

  YamlNode NewNode(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > kMaxYamlNodes) Stop(mark, absl::StrCat("more than ", kMaxYamlNodes, " values"));
    YamlNode node;
    node.kind = kind;
    node.at = At(mark);
    return node;
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    if (open_.size() >= kMaxYamlDepth) {
      Stop(mark, absl::StrCat("nested more than ", kMaxYamlDepth, " levels deep"));
    }
    open_.push_back({NewNode(kind, mark), false});
  }

  void Close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    Attach(std::move(node));
  }

  void Attach(YamlNode node) {
    if (open_.empty()) {
      documents_.push_back(std::move(node));
      return;
    }
    OpenNode& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.awaits_value) {
      YamlEntry& entry = parent.node.entries.back();
      // yaml-cpp places an absent value at whatever comes next.
      if (node.kind == YamlNode::Kind::kNull) node.at = entry.key.at;
      entry.value = std::move(node);
      parent.awaits_value = false;
    } else {
      parent.node.entries.push_back({std::move(node), {}});
      parent.awaits_value = true;
    }
  }

  // Reports merge keys, keys that are not text, and all but the first of a
  // repeated key; leaves only good entries.
  void CheckKeys(YamlNode& map) {
    absl::flat_hash_map<std::string, int> first_line;
    const auto is_bad = [&](const YamlEntry& entry) {
      const YamlNode& key = entry.key;
      if (key.kind != YamlNode::Kind::kScalar) {
        diagnostics_.Add(key.at, PolicyError::kWrongType,
                         absl::StrCat("a key must be text, not ", KindName(key.kind)));
        return true;
      }
      if (key.value == "<<" && !key.quoted) {
        diagnostics_.Add(key.at, PolicyError::kForbiddenYaml, "merge keys (<<) are not accepted",
                         "write the values out");
        return true;
      }
      const auto [found, inserted] = first_line.try_emplace(key.value, key.at.line);
      if (inserted) return false;
      diagnostics_.Add(
          key.at, PolicyError::kDuplicateKey,
          absl::StrCat("duplicate key ", Quoted(key.value), ", first on line ", found->second));
      return true;
    };
    std::vector<YamlEntry> good;
    for (YamlEntry& entry : map.entries) {
      if (!is_bad(entry)) good.push_back(std::move(entry));
    }
    map.entries = std::move(good);
  }

  void RefuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) Refuse(mark, "anchors (&name) are not accepted");
  }

  // yaml-cpp reports "?" for plain and "!" for quoted nodes without a tag.
  void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    Refuse(mark, absl::StrCat("tags (", Quoted(tag), ") are not accepted"));
  }

  void Refuse(const YAML::Mark& mark, std::string message) {
    diagnostics_.Add(At(mark), PolicyError::kForbiddenYaml, std::move(message),
                     "write the value out");
  }

  [[noreturn]] void Stop(const YAML::Mark& mark, std::string message) {
    diagnostics_.Add(At(mark), PolicyError::kTooBig, std::move(message));
    throw StopParsing();
  }

  std::shared_ptr<const Source> source_;
  Diagnostics& diagnostics_;
  std::vector<YamlNode> documents_;
  std::vector<OpenNode> open_;
  size_t nodes_ = 0;
};

void AddBadCharacter(const std::shared_ptr<const Source>& source, size_t offset,
                     Diagnostics& diagnostics) {
  const absl::string_view before = absl::string_view(source->text()).substr(0, offset);
  const size_t newline = before.rfind('\n');
  const size_t line_start = newline == absl::string_view::npos ? 0 : newline + 1;
  const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
  diagnostics.Add({source, line, static_cast<int>(offset - line_start) + 1},
                  PolicyError::kBadCharacter, "not UTF-8 text, or a control character");
}

// False if a line is too long, which is reported.
bool CheckLines(const std::shared_ptr<const Source>& source, Diagnostics& diagnostics) {
  const absl::string_view text = source->text();
  int line = 1;
  for (size_t start = 0; start < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', start), text.size());
    if (end - start > kMaxYamlLine) {
      diagnostics.Add({source, line, static_cast<int>(kMaxYamlLine)}, PolicyError::kTooBig,
                      absl::StrCat("a line of more than ", kMaxYamlLine, " bytes"));
      return false;
    }
    start = end + 1;
  }
  return true;
}

}  // namespace

std::vector<YamlNode> ParseYaml(const std::shared_ptr<const Source>& source,
                                Diagnostics& diagnostics) {
  if (source->text().size() > kMaxPolicyFileBytes) {
    diagnostics.Add({source, 0, 0}, PolicyError::kTooBig,
                    absl::StrCat("larger than ", kMaxPolicyFileBytes, " bytes"));
    return {};
  }
  const size_t bad = FindBadCharacter(source->text());
  if (bad != absl::string_view::npos) {
    AddBadCharacter(source, bad, diagnostics);
    return {};
  }
  if (!CheckLines(source, diagnostics)) return {};
  TreeBuilder builder(source, diagnostics);
  try {
    std::istringstream stream(source->text());
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const StopParsing&) {
  } catch (const YAML::Exception& error) {
    const Position at = error.mark.is_null() ? Position{source, 0, 0} : builder.At(error.mark);
    diagnostics.Add(at, PolicyError::kSyntax, absl::StrCat("YAML syntax: ", error.msg));
  }
  return builder.TakeDocuments();
}

const YamlNode* FindValue(const YamlNode& map, absl::string_view key) {
  const auto found = std::find_if(map.entries.begin(), map.entries.end(),
                                  [&](const YamlEntry& entry) { return entry.key.value == key; });
  return found == map.entries.end() ? nullptr : &found->value;
}

const char* KindName(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
    case YamlNode::Kind::kRefused:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

}  // namespace pagewarden
