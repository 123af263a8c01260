// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/cgroup_tree.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "agent/cgroup/paths.h"

namespace pagewarden {
namespace {

struct Node {
  const CgroupRow* row = nullptr;
  std::vector<const Node*> children;
};
using Nodes = std::map<absl::string_view, Node>;

bool IsNotable(const CgroupSums& sums, const CgroupRow& row, const AuditReport& report) {
  if (sums.locked_bytes > 0 || sums.pinned_bytes > 0 || sums.peak.bytes > 0) return true;
  if (!sums.denials.IsEmpty()) return true;
  return std::any_of(row.processes.begin(), row.processes.end(),
                     [&report](const ProcessRow& process) {
                       return process.shim_loaded || CoverageOf(report, process.pid) != nullptr;
                     });
}

bool IsHeavier(const Node* a, const Node* b) {
  const auto weight = [](const Node* node) {
    const CgroupSums& sums = node->row->subtree;
    return std::make_tuple(sums.locked_bytes, sums.pinned_bytes, sums.peak.bytes);
  };
  return weight(a) > weight(b);
}

class Lines {
 public:
  Lines(const AuditReport& report, const TableOptions& options)
      : report_(report),
        all_(options.all),
        max_depth_(options.depth.value_or(std::numeric_limits<size_t>::max())) {
    for (const CgroupRow& row : report.cgroups) nodes_[row.path].row = &row;
    // From the back: whether a row is shown depends on those below it.
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) Place(node->second);
  }

  std::vector<CgroupLine> Take() {
    std::sort(tops_.begin(), tops_.end(), IsByPath);
    std::stable_sort(tops_.begin(), tops_.end(), IsHeavier);
    for (const Node* top : tops_) Append(*top, 0, "");
    return std::move(lines_);
  }

 private:
  static bool IsByPath(const Node* a, const Node* b) { return a->row->path < b->row->path; }

  void Place(Node& node) {
    std::sort(node.children.begin(), node.children.end(), IsByPath);
    std::stable_sort(node.children.begin(), node.children.end(), IsHeavier);
    const bool shown =
        all_ || !node.children.empty() || IsNotable(node.row->subtree, *node.row, report_);
    if (!shown) return;
    const auto parent = nodes_.find(ParentCgroup(node.row->path));
    (parent == nodes_.end() ? tops_ : parent->second.children).push_back(&node);
  }

  static void Cover(const Node& node, std::vector<const CgroupRow*>& rows) {
    rows.push_back(node.row);
    for (const Node* child : node.children) Cover(*child, rows);
  }

  // `above`: the path of the line above, which the label leaves out.
  void Append(const Node& first, size_t depth, absl::string_view above) {
    const Node* node = &first;
    while (node->row->own.processes == 0 && node->children.size() == 1 && depth < max_depth_ &&
           node->row->path != "/" && node->row->own.denials.IsEmpty()) {
      node = node->children.front();
    }
    CgroupLine line;
    line.row = node->row;
    line.depth = depth;
    line.label = Label(node->row->path, above);
    const bool expanded = depth < max_depth_ && !node->children.empty();
    const bool parted = expanded && (all_ || IsNotable(node->row->own, *node->row, report_)) &&
                        node->row->own.processes > 0;
    if (!expanded) Cover(*node, line.covers);
    if (expanded && !parted) line.covers = {node->row};
    lines_.push_back(std::move(line));
    if (!expanded) return;
    if (parted) lines_.push_back({node->row, depth + 1, "(itself)", true, {node->row}});
    for (const Node* child : node->children) Append(*child, depth + 1, node->row->path);
  }

  static std::string Label(absl::string_view path, absl::string_view above) {
    if (above != "/") path.remove_prefix(above.size());
    if (!above.empty()) path.remove_prefix(1);
    return ShortCgroupPath(path);
  }

  const AuditReport& report_;
  bool all_;
  size_t max_depth_;
  Nodes nodes_;
  std::vector<const Node*> tops_;
  std::vector<CgroupLine> lines_;
};

}  // namespace

std::vector<CgroupLine> CgroupLines(const AuditReport& report, const TableOptions& options) {
  return Lines(report, options).Take();
}

}  // namespace pagewarden
