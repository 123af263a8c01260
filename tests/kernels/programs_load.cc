// SPDX-License-Identifier: Apache-2.0
// Loads and attaches each program of BPF objects, alone, and prints a JSON object a
// line: {"<object> <program>": "yes"}, or what the kernel said against it. It knows
// nothing of the agent's order of choice: it is the ground truth for that.
//
//   programs_load build/bpf/task_snapshot.bpf.o …
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/bpf/bpf_error.h"

namespace {

constexpr size_t kLogBytes = 1 << 20;

// The verifier's last word before its statistics.
std::string LastWord(const std::string& log) {
  std::string word;
  for (absl::string_view line : absl::StrSplit(log, '\n', absl::SkipWhitespace())) {
    if (absl::StartsWith(line, "processed ") || absl::StartsWith(line, "verification time")) break;
    word = std::string(line);
  }
  return word;
}

std::string Attach(const bpf_program* program) {
  if (bpf_program__type(program) == BPF_PROG_TYPE_SYSCALL) return "yes";
  bpf_link* const link = bpf_program__attach(program);
  if (link == nullptr) return absl::StrCat("attach: ", strerror(errno));
  bpf_link__destroy(link);
  return "yes";
}

std::string LoadAndAttach(const char* path, const std::string& name) {
  bpf_object* const object = bpf_object__open(path);
  if (object == nullptr) return absl::StrCat("open: ", strerror(errno));
  absl::Cleanup close = [object] { bpf_object__close(object); };
  bpf_program* program;
  bpf_object__for_each_program(program, object) {
    bpf_program__set_autoload(program, bpf_program__name(program) == name);
  }
  program = bpf_object__find_program_by_name(object, name.c_str());
  std::vector<char> log(kLogBytes);
  bpf_program__set_log_buf(program, log.data(), log.size());
  if (const int error = bpf_object__load(object)) {
    const std::string word = LastWord(log.data());
    return absl::StrCat("load: ", strerror(-error), word.empty() ? "" : ": ", word);
  }
  return Attach(program);
}

std::vector<std::string> ProgramsOf(const char* path) {
  std::vector<std::string> names;
  bpf_object* const object = bpf_object__open(path);
  if (object == nullptr) return names;
  bpf_program* program;
  bpf_object__for_each_program(program, object) names.emplace_back(bpf_program__name(program));
  bpf_object__close(object);
  return names;
}

std::string Label(absl::string_view path, const std::string& program) {
  const absl::string_view file = path.substr(path.rfind('/') + 1);
  return absl::StrCat(absl::StripSuffix(file, ".bpf.o"), " ", program);
}

}  // namespace

int main(int argc, char** argv) {
  pagewarden::SilenceLibbpf();
  for (int i = 1; i < argc; ++i) {
    const std::vector<std::string> programs = ProgramsOf(argv[i]);
    if (programs.empty()) {
      fprintf(stderr, "programs_load: %s: not a BPF object with programs\n", argv[i]);
      return 1;
    }
    for (const std::string& program : programs) {
      const nlohmann::json line = {{Label(argv[i], program), LoadAndAttach(argv[i], program)}};
      printf("%s\n", line.dump().c_str());
    }
  }
  return 0;
}
