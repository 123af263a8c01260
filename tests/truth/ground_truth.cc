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
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "tests/truth/audit_output.h"
#include "tests/truth/cgroup_tree.h"
#include "tests/truth/checks.h"
#include "tests/truth/fleet.h"
#include "tests/truth/kernel_probe.h"
#include "tests/truth/model.h"

namespace truth {
namespace {

constexpr int kSkipped = 77;
constexpr int kProgramFd = 901;
constexpr uid_t kFirstUser = 1000000;  // nobody's: the kernel counts io_uring by user
constexpr int kResidueReads = 50;

struct Options {
  uint32_t processes = 200;
  uint32_t seconds = 60;
  uint32_t stops = 20;
  uint64_t seed = 0;
};

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

class Run {
 public:
  Run(Board& board, const CgroupTree& tree, int board_fd, std::string program)
      : board_(board), tree_(tree), fleet_(board, board_fd), program_(std::move(program)) {
    if (MayUseBpf()) sources_.insert(sources_.begin(), "bpf");
  }

  absl::Status Go(const Options& options) {
    const absl::Duration part = absl::Seconds(options.seconds) / options.stops;
    for (uint32_t stop = 1; stop <= options.stops; ++stop) {
      if (absl::Status status = Work(part); !status.ok()) return status;
      if (absl::Status status = fleet_.Pause(); !status.ok()) return status;
      Compare(stop);
      fleet_.Resume();
    }
    return absl::OkStatus();
  }

  void PrintSummary(const Options& options) const;
  bool has_differences() const { return comparison_.differences() > 0; }

 private:
  absl::Status Work(absl::Duration duration) {
    const absl::Time end = absl::Now() + duration;
    while (absl::Now() < end) {
      if (absl::Status status = fleet_.Tend(); !status.ok()) return status;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return absl::OkStatus();
  }

  void Compare(uint32_t stop);
  void CompareSource(const std::string& source, const ProcTruths& truths);
  void CompareResidue(AuditOutput audit);

  Board& board_;
  const CgroupTree& tree_;
  Fleet fleet_;
  std::string program_;
  std::vector<std::string> sources_ = {"proc"};
  Comparison comparison_;
  uint64_t residue_reads_ = 0;
  uint64_t most_leaked_ = 0;
};

void Run::Compare(uint32_t stop) {
  const ProcTruths truths = ReadAll(board_, comparison_);
  CompareBooks(board_, truths, comparison_);
  for (const std::string& source : sources_) CompareSource(source, truths);
  uint64_t locked = 0;
  uint64_t pinned = 0;
  for (const auto& [pid, truth] : truths) {
    locked += truth.locked_bytes;
    pinned += truth.pinned_bytes;
  }
  const uint64_t leaked = board_.of[board_.slots - 2].leaked_bytes;
  most_leaked_ = std::max(most_leaked_, leaked);
  absl::PrintF(
      "stop %d: locked %d KiB, pinned %d KiB, residue %d KiB, drift %d KiB; %d figures, "
      "%d differences\n",
      stop, locked >> 10, pinned >> 10, ChargedToUser(board_) >> 10, leaked >> 10,
      comparison_.figures(), comparison_.differences());
  fflush(stdout);
}

void Run::CompareSource(const std::string& source, const ProcTruths& truths) {
  auto audit = RunAudit(program_, source, tree_.paths[0]);
  if (!audit.ok()) return comparison_.Fail(audit.status().ToString());
  CompareAudit(board_, tree_, truths, *audit, comparison_);
  if (source == "bpf") CompareResidue(*std::move(audit));
}

// The kernel releases the rings of those who have ended by workers of its own, and is not
// done when they are reaped: only that is waited for.
void Run::CompareResidue(AuditOutput audit) {
  const uint64_t expected = ChargedToUser(board_);
  for (int i = 0; i < kResidueReads && ResidueOf(board_, audit) != expected; ++i) {
    absl::SleepFor(absl::Milliseconds(100));
    auto again = RunAudit(program_, "bpf", tree_.paths[0]);
    if (!again.ok()) return comparison_.Fail(again.status().ToString());
    audit = *std::move(again);
    ++residue_reads_;
  }
  comparison_.Equal("audit", "residue of the user", expected, ResidueOf(board_, audit));
}

void Run::PrintSummary(const Options& options) const {
  std::vector<std::string> kinds;
  uint64_t operations = 0;
  for (uint32_t i = 0; i < kKinds; ++i) {
    operations += board_.operations[i];
    kinds.push_back(absl::StrCat(kKindNames[i], " ", board_.operations[i].load()));
  }
  absl::PrintF("operations: %s; %d calls refused, as they had to be\n", absl::StrJoin(kinds, ", "),
               board_.refused.load());
  absl::PrintF("drift: %d KiB leaked by the one process that provokes it%s\n", most_leaked_ >> 10,
               most_leaked_ == 0 ? " (this kernel does not leak)" : "");
  absl::PrintF("residue: read again %d times until the kernel had let go of closed rings\n",
               residue_reads_);
  absl::PrintF(
      "%d processes, %d cgroups, %d s, %d operations, %d stops, sources %s: %d figures "
      "compared, %d differences\n",
      options.processes, kCgroups, options.seconds, operations, options.stops,
      absl::StrJoin(sources_, " and "), comparison_.figures(), comparison_.differences());
}

void PrintLeftOut(const Kernel& kernel) {
  if (kernel.has_rings == 0) absl::PrintF("LEFT OUT io_uring: it cannot be used here\n");
  if (kernel.has_secret_memory == 0) absl::PrintF("LEFT OUT memfd_secret: there is none here\n");
  if (!MayUseBpf()) absl::PrintF("LEFT OUT source bpf: CAP_BPF and CAP_PERFMON are missing\n");
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
  if (geteuid() != 0) return absl::PermissionDeniedError("needs root");
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
  Run run(board, tree, board_fd, getenv("PAGEWARDEN"));
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
