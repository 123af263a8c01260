// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/charged_files.h"

#include <utility>

#include "agent/bpf/hook_chooser.h"
#include "agent/bpf/iterator_read.h"
#include "charged_files.skel.h"

namespace pagewarden {

struct ChargedFiles::Program {
  HookChoice<charged_files_bpf> iterator;
};

ChargedFiles::ChargedFiles(std::unique_ptr<Program> program) : program_(std::move(program)) {}
ChargedFiles::ChargedFiles(ChargedFiles&&) noexcept = default;
ChargedFiles& ChargedFiles::operator=(ChargedFiles&&) noexcept = default;
ChargedFiles::~ChargedFiles() = default;

absl::StatusOr<ChargedFiles> ChargedFiles::Open() {
  auto program = std::make_unique<Program>();
  program->iterator =
      ChooseHook<charged_files_bpf>("residue",
                                    {{"iter/task_file", {"charged_file"}},
                                     {"iter/task_file, 32 buffers a ring", {"charged_file_few"}}},
                                    [](auto&) {});
  if (!program->iterator.hook) return program->iterator.status;
  return ChargedFiles(std::move(program));
}

absl::StatusOr<std::vector<charged_file>> ChargedFiles::Read() {
  return ReadIterator<charged_file>(program_->iterator.links.first(), "the BPF file iterator");
}

HookReport ChargedFiles::Report() const { return program_->iterator.Report(); }

}  // namespace pagewarden
