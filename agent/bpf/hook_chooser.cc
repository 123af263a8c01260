// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/hook_chooser.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/bpf/bpf_error.h"

namespace pagewarden {
namespace {

constexpr int kNotSupported = 524;  // the kernel's ENOTSUPP, which no header of user space has

// What a kernel will say again however often it is asked. Others may pass (ENOMEM).
bool IsFinal(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
    case EINVAL:
    case ENOENT:
    case ESRCH:
    case EOPNOTSUPP:
    case kNotSupported:
      return true;
    default:
      return false;
  }
}

std::string Explain(int error) {
  switch (error) {
    case ENOENT:
    case ESRCH:
      return "this kernel has no such hook";
    case EOPNOTSUPP:
    case kNotSupported:
      return "this kernel does not support such hooks";
    default:
      return strerror(error);
  }
}

class Refusals {
 public:
  std::optional<int> Find(const std::string& key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = errors_.find(key);
    if (found == errors_.end()) return std::nullopt;
    return found->second;
  }
  void Remember(const std::string& key, int error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    errors_[key] = error;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> errors_ ABSL_GUARDED_BY(mutex_);
};

Refusals& Remembered() {
  static Refusals& refusals = *new Refusals;
  return refusals;
}

std::string KeyOf(const bpf_object* object, const HookCandidate& candidate) {
  return absl::StrCat(bpf_object__name(object), "/", absl::StrJoin(candidate.programs, "+"));
}

bool IsListed(const bpf_program* program, const HookCandidate& candidate) {
  const auto& names = candidate.programs;
  return std::find(names.begin(), names.end(), bpf_program__name(program)) != names.end();
}

void SelectPrograms(const bpf_object* object, const HookCandidate& candidate) {
  bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(object, program)) != nullptr) {
    bpf_program__set_autoload(program, IsListed(program, candidate));
  }
}

}  // namespace

HookLinks::~HookLinks() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
}

int HookLinks::Attach(const bpf_object* object, const std::vector<std::string>& programs) {
  HookLinks attached;
  for (const std::string& name : programs) {
    const bpf_program* program = bpf_object__find_program_by_name(object, name.c_str());
    if (program == nullptr) return ENOENT;
    if (bpf_program__type(program) == BPF_PROG_TYPE_SYSCALL) continue;
    bpf_link* link = bpf_program__attach(program);
    if (link == nullptr) return errno;
    attached.links_.push_back(link);
  }
  links_.insert(links_.end(), attached.links_.begin(), attached.links_.end());
  attached.links_.clear();
  return 0;
}

namespace hook_internal {

int RefusedBefore(const bpf_object* object, const HookCandidate& candidate) {
  return Remembered().Find(KeyOf(object, candidate)).value_or(0);
}

int Try(const bpf_object* object, absl::FunctionRef<int()> load, const HookCandidate& candidate,
        HookLinks& links) {
  SilenceLibbpf();
  SelectPrograms(object, candidate);
  int error = -load();
  if (error == 0) error = links.Attach(object, candidate.programs);
  if (error != 0 && IsFinal(error)) Remembered().Remember(KeyOf(object, candidate), error);
  return error;
}

void AddRefusal(int error, const HookCandidate& candidate, HookReport& report,
                absl::Status& status) {
  report.refused.push_back(absl::StrCat(candidate.hook, ": ", Explain(error)));
  if (status.ok() || absl::IsPermissionDenied(status)) {
    status = BpfError(error, absl::StrCat("attaching ", candidate.hook));
  }
}

void AddCounts(const bpf_object* object, HookReport& report) {
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(object, const_cast<bpf_program*>(program))) !=
         nullptr) {
    const int fd = bpf_program__fd(program);
    bpf_prog_info info = {};
    __u32 size = sizeof(info);
    if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) != 0) continue;
    report.runs += info.run_cnt;
    report.run_time_ns += info.run_time_ns;
    report.lost += info.recursion_misses;
  }
}

}  // namespace hook_internal
}  // namespace pagewarden
