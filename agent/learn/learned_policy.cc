// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/learned_policy.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/audit/text.h"
#include "agent/learn/symbols.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxNameBytes = 63;
constexpr char kStacksNote[] =
    "# The stack rules name return addresses: learn again when one of the files is updated\n"
    "# (`pagewarden policy explain` tells).\n";
constexpr char kPinnedStack[] = "128Ki";
constexpr char kScrubbedStack[] = "16Ki";

// A double-quoted scalar: names of files may hold anything.
std::string Scalar(absl::string_view text) {
  return absl::StrCat(
      "\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}), "\"");
}

std::string Copies(uint64_t count) { return absl::StrCat(count, count == 1 ? " copy" : " copies"); }

absl::string_view BuildIdOf(const recording::Module& module) {
  return absl::string_view(reinterpret_cast<const char*>(module.build_id), module.build_id_bytes);
}

std::string FrameText(const recording::Module& module, uint64_t offset) {
  return absl::StrFormat("%s+0x%x", absl::BytesToHexString(BuildIdOf(module)), offset);
}

std::string Functions(const LearnedSignature& signature, const std::vector<std::string>& paths,
                      Symbols& symbols) {
  std::vector<std::string> names;
  for (const recording::Frame& frame : signature.frames) {
    names.push_back(symbols.NameOf(paths[frame.module], frame.offset));
  }
  return Printable(absl::StrJoin(names, " < "));
}

void AddPresets(const LearnedPolicy& policy, std::string& yaml) {
  for (const LearnedPreset& preset : policy.presets) {
    absl::StrAppend(&yaml, "    # Fenced ", preset.allocations, " allocations.\n",
                    "    - match: {preset: ", preset.name, "}\n");
  }
}

// Writes the signatures of a policy, each with what is known of it.
class SignatureWriter {
 public:
  SignatureWriter(const LearnedPolicy& policy, std::string& yaml) : policy_(policy), yaml_(yaml) {
    for (const recording::Module& module : policy.modules) paths_.push_back(module.path);
  }

  // One rule for those of all sizes, one for each that is for some sizes only.
  void Write() {
    std::vector<const LearnedSignature*> unsized;
    for (const LearnedSignature& signature : policy_.signatures) {
      if (signature.max_bytes == 0) unsized.push_back(&signature);
    }
    if (!unsized.empty()) WriteRule("learned-stacks", unsized);
    int number = 0;
    for (const LearnedSignature& signature : policy_.signatures) {
      if (signature.max_bytes == 0) continue;
      WriteRule(absl::StrCat("learned-sizes-", ++number), {&signature});
    }
  }

 private:
  void WriteRule(const std::string& name, const std::vector<const LearnedSignature*>& signatures) {
    uint64_t copies = 0;
    for (const LearnedSignature* signature : signatures) copies += signature->Copies();
    const LearnedSignature& first = *signatures.front();
    absl::StrAppend(&yaml_, "    # For ", Copies(copies), " that no preset fences.\n");
    if (first.max_bytes > 0) {
      absl::StrAppend(&yaml_,
                      "    # Too common for all sizes: only for secrets about this long.\n");
    }
    absl::StrAppend(&yaml_, "    - name: ", name, "\n      match:\n");
    if (first.max_bytes > 0) {
      absl::StrAppend(&yaml_, "        size: {min: ", first.min_bytes, ", max: ", first.max_bytes,
                      "}\n");
    }
    absl::StrAppend(&yaml_, "        stack:\n");
    for (const LearnedSignature* signature : signatures) WriteSignature(*signature);
  }

  void WriteSignature(const LearnedSignature& signature) {
    absl::StrAppend(&yaml_, "          # ", Copies(signature.Copies()));
    if (signature.stale > 0) absl::StrAppend(&yaml_, " (", signature.stale, " in freed blocks)");
    absl::StrAppend(&yaml_, ", ", signature.moved, " of ", policy_.allocations,
                    " allocations:\n          # ", Functions(signature, paths_, symbols_), "\n");
    std::vector<std::string> frames;
    for (const recording::Frame& frame : signature.frames) {
      frames.push_back(FrameText(policy_.modules[frame.module], frame.offset));
    }
    absl::StrAppend(&yaml_, "          - [", absl::StrJoin(frames, ",\n             "), "]\n");
  }

  const LearnedPolicy& policy_;
  std::string& yaml_;
  std::vector<std::string> paths_;
  Symbols symbols_;
};

void AddPatterns(const char* key, const char* what, const std::map<std::string, uint64_t>& modules,
                 std::string& yaml) {
  if (modules.empty()) return;
  absl::StrAppend(&yaml, "    ", key, ":\n");
  for (const auto& [module, copies] : modules) {
    absl::StrAppend(&yaml, "      - ", Scalar(module), "  # ", Copies(copies), " in ", what, "\n");
  }
}

bool HasPins(const LearnedPolicy& policy) {
  return !policy.pinned_mappings.empty() || !policy.pinned_data.empty() || policy.on_stacks > 0 ||
         policy.in_environment > 0;
}

void AddPins(const LearnedPolicy& policy, std::string& yaml) {
  if (!HasPins(policy)) return;
  absl::StrAppend(&yaml, "  # Where no allocation is to be moved: locked where it is.\n  pin:\n");
  AddPatterns("mappings", "memory that it maps", policy.pinned_mappings, yaml);
  AddPatterns("data", "its static data", policy.pinned_data, yaml);
  if (policy.on_stacks > 0) {
    absl::StrAppend(&yaml, "    # ", Copies(policy.on_stacks), " on stacks.\n",
                    "    stacks: ", kPinnedStack, "\n    scrubStack: ", kScrubbedStack, "\n");
  }
  if (policy.in_environment > 0) {
    absl::StrAppend(&yaml, "    environment: true  # ", Copies(policy.in_environment), "\n");
  }
}

}  // namespace

bool LearnedPolicy::IsEmpty() const {
  return presets.empty() && signatures.empty() && !HasPins(*this);
}

std::string PolicyNameFor(const std::string& executable) {
  std::string name = "learned-";
  for (const char c : executable.substr(executable.rfind('/') + 1)) {
    const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
    name.push_back(absl::ascii_isalnum(static_cast<unsigned char>(lower)) ? lower : '-');
  }
  name.resize(std::min(name.size(), kMaxNameBytes));
  while (name.back() == '-') name.pop_back();
  return name;
}

std::string ToYaml(const LearnedPolicy& policy) {
  std::string yaml = absl::StrCat("# Learned from: ", Printable(policy.command), "\n",
                                  policy.signatures.empty() ? "" : kStacksNote,
                                  "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\n",
                                  "metadata: {name: ", policy.name, "}\nspec:\n  selector:\n",
                                  "    matchBinaries:\n");
  for (const std::string& binary : policy.binaries) {
    absl::StrAppend(&yaml, "      - ", Scalar(binary), "\n");
  }
  if (!policy.presets.empty() || !policy.signatures.empty()) {
    absl::StrAppend(&yaml, "  rules:\n");
    AddPresets(policy, yaml);
    SignatureWriter(policy, yaml).Write();
  }
  absl::StrAppend(&yaml,
                  "  arenas:\n    - name: default\n      capacity: ", policy.capacity_bytes / 1024,
                  "Ki\n      onCapacityExhausted: Grow\n");
  AddPins(policy, yaml);
  return yaml;
}

}  // namespace pagewarden
