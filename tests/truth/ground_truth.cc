// SPDX-License-Identifier: Apache-2.0
// ground_truth [--processes N] [--seconds N] [--stops N] [--seed N]
//
// Processes in a tree of cgroups lock, pin, move, fork and end at random, while everyone
// keeps books. At each stop all hold still, and `pagewarden audit`, /proc and the books
// must agree to the page. Needs root. In the environment: PAGEWARDEN, the program;
// TRUTH_WORKER, tests/truth/worker_main.cc.
//
// Exit code: 0 no difference, 1 some, 77 it cannot run here.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/truth/cgroup_tree.h"
#include "tests/truth/kernel_probe.h"
#include "tests/truth/model.h"
#include "tests/truth/run.h"

namespace truth {
namespace {

constexpr int kSkipped = 77;
constexpr int kProgramFd = 901;
constexpr uid_t kFirstUser = 1000000;  // nobody's: the kernel counts io_uring by user

bool ParseOptions(int argc, char** argv, Options& options) {
  options.seed = static_cast<uint64_t>(absl::ToUnixNanos(absl::Now()));
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const bool parsed = name == "--processes" ? absl::SimpleAtoi(argv[i + 1], &options.processes)
                        : name == "--seconds" ? absl::SimpleAtoi(argv[i + 1], &options.seconds)
                        : name == "--stops"   ? absl::SimpleAtoi(argv[i + 1], &options.stops)
                        : name == "--seed"    ? absl::SimpleAtoi(argv[i + 1], &options.seed)
                                              : false;
    if (!parsed) return false;
  }
  return argc % 2 == 1 && options.processes > 0 && options.processes + 2 <= kMaxSlots &&
         options.stops > 0;
}

bool HasCapability(unsigned number) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  return ((data[number / 32].effective >> (number % 32)) & 1) != 0;
}

bool MayUseBpf() {
  return HasCapability(CAP_SYS_ADMIN) || (HasCapability(CAP_BPF) && HasCapability(CAP_PERFMON));
}

// Two more than asked for: one leaks, one has lost its first thread. Of the others every
// fourth has no capability.
void AssignSlots(const Options& options, Board& board) {
  board.seed = options.seed;
  board.slots = options.processes + 2;
  board.user = kFirstUser + static_cast<uid_t>(getpid());
  board.first_key = 0x70000000 + getpid() % 0x8000 * 0x1000;
  board.of[options.processes].leaks = 1;
  board.of[options.processes + 1].leaderless = 1;
  for (uint32_t i = 0; i < options.processes; ++i) board.of[i].unprivileged = i % 4 == 1;
}

void PrintLeftOut(const Kernel& kernel) {
  if (kernel.has_rings == 0) absl::PrintF("LEFT OUT io_uring: it cannot be used here\n");
  if (kernel.has_secret_memory == 0) absl::PrintF("LEFT OUT memfd_secret: there is none here\n");
  if (!MayUseBpf()) absl::PrintF("LEFT OUT source bpf, peaks: no CAP_BPF and CAP_PERFMON\n");
}

absl::Status PrepareFiles(const char* worker, int& board_fd, Board*& board) {
  board_fd = memfd_create("truth-board", MFD_CLOEXEC);
  if (board_fd < 0 || ftruncate(board_fd, sizeof(Board)) != 0) {
    return absl::ErrnoToStatus(errno, "memfd_create");
  }
  board = MapBoard(board_fd);
  if (board == nullptr) return absl::ErrnoToStatus(errno, "mmap");
  const int program_fd = open(worker, O_RDONLY | O_CLOEXEC);
  if (program_fd < 0) return absl::ErrnoToStatus(errno, worker);
  board->program_fd = dup2(program_fd, kProgramFd);  // workers need it too
  close(program_fd);
  return absl::OkStatus();
}

// Where it cannot run, and why.
absl::Status CheckHere() {
  if (geteuid() != 0 || !HasCapability(CAP_IPC_LOCK)) {
    return absl::PermissionDeniedError("needs root with CAP_IPC_LOCK");
  }
  if (sysconf(_SC_PAGESIZE) != kPageBytes) return absl::UnimplementedError("other pages");
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  if (files.rlim_max <= kProgramFd || setrlimit(RLIMIT_NOFILE, &files) != 0) {
    return absl::ResourceExhaustedError("too few descriptors");
  }
  return absl::OkStatus();
}

int Skip(const absl::Status& status) {
  absl::PrintF("SKIPPED %s\n", status.ToString());
  return kSkipped;
}

int RunInTree(const Options& options, Board& board, const CgroupTree& tree, int board_fd) {
  auto janitor = Janitor::Start(tree, board);
  if (!janitor.ok()) return Skip(janitor.status());
  if (absl::Status status = MakeCgroupTree(tree, board); !status.ok()) {
    janitor->Finish();
    return Skip(status);
  }
  Run run(board, tree, board_fd, getenv("PAGEWARDEN"), MayUseBpf());
  const absl::Status done = run.Go(options);
  if (!done.ok()) absl::PrintF("FAILED %s\n", done.ToString());
  const bool clean = janitor->Finish();
  if (!clean) absl::PrintF("FAILED cgroups or processes are left in %s\n", tree.directories[0]);
  run.PrintSummary(options);
  return done.ok() && clean && !run.has_differences() ? 0 : 1;
}

int Main(int argc, char** argv) {
  Options options;
  if (!ParseOptions(argc, argv, options) || getenv("PAGEWARDEN") == nullptr ||
      getenv("TRUTH_WORKER") == nullptr) {
    absl::FPrintF(stderr, "usage: see the first lines of ground_truth.cc\n");
    return 2;
  }
  if (absl::Status status = CheckHere(); !status.ok()) return Skip(status);
  const auto tree = PlanCgroupTree();
  if (!tree.ok()) return Skip(tree.status());
  int board_fd = -1;
  Board* board = nullptr;
  if (absl::Status status = PrepareFiles(getenv("TRUTH_WORKER"), board_fd, board); !status.ok()) {
    return Skip(status);
  }
  AssignSlots(options, *board);
  board->kernel = ProbeKernel(board->user);
  absl::PrintF("seed %d; a ring charges %d pages\n", options.seed, board->kernel.ring_pages);
  PrintLeftOut(board->kernel);
  return RunInTree(options, *board, *tree, board_fd);
}

}  // namespace
}  // namespace truth

int main(int argc, char** argv) { return truth::Main(argc, argv); }
