// SPDX-License-Identifier: Apache-2.0
// The audit's snapshot against processes that do one thing each, by BPF and from /proc.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/audit/snapshot_reader.h"
#include "tests/unit/child.h"

namespace pagewarden {
namespace {

constexpr size_t kPage = 4096;
constexpr uid_t kNobody = 65534;

bool IsNotHere(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnimplemented(status);
}

char* Map(size_t bytes, int flags = 0) {
  void* const pages =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<char*>(pages);
}

ProcessRow RowOf(pid_t pid, const Snapshot& snapshot) {
  for (const ProcessRow& row : snapshot.processes) {
    if (row.pid == pid) return row;
  }
  ADD_FAILURE() << "no row of " << pid;
  return {};
}

class SnapshotFrom : public ::testing::TestWithParam<SnapshotSource> {
 protected:
  void SetUp() override {
    auto reader = SnapshotReader::Open(nullptr, GetParam());
    if (IsNotHere(reader.status())) GTEST_SKIP() << reader.status();
    ASSERT_TRUE(reader.ok()) << reader.status();
    reader_.emplace(*std::move(reader));
  }

  Snapshot Read() {
    auto snapshot = reader_->Read({});
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return snapshot.ok() ? *std::move(snapshot) : Snapshot();
  }
  bool IsBpf() const { return GetParam() == SnapshotSource::kBpf; }

  std::optional<SnapshotReader> reader_;
};

INSTANTIATE_TEST_SUITE_P(Sources, SnapshotFrom,
                         ::testing::Values(SnapshotSource::kBpf, SnapshotSource::kProc),
                         [](const auto& info) {
                           return info.param == SnapshotSource::kBpf ? "Bpf" : "Proc";
                         });

// mm/mremap.c of 6.16 to 7.1: the old range is not locked any more, but stays counted.
bool LeakLockedVm() {
  char* const old_place = Map(16 * kPage);
  char* const new_place = Map(16 * kPage);
  if (old_place == nullptr || new_place == nullptr || mlock(old_place, 16 * kPage) != 0) {
    return false;
  }
  return mremap(old_place, 16 * kPage, 16 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                new_place) != MAP_FAILED;
}

TEST_P(SnapshotFrom, ShowsTheDriftOfAKernelThatLeaks) {
  const Child steady([] { return mlock(Map(8 * kPage), 8 * kPage) == 0; });
  const Child leaking(LeakLockedVm);
  ASSERT_TRUE(steady.ok() && leaking.ok());
  const Snapshot snapshot = Read();
  const ProcessRow fine = RowOf(steady.pid(), snapshot);
  EXPECT_EQ(fine.drift_bytes, 0);
  EXPECT_EQ(fine.locked_bytes, 8 * kPage);
  const ProcessRow row = RowOf(leaking.pid(), snapshot);
  ASSERT_TRUE(row.locked_mappings.has_value());
  EXPECT_EQ(row.locked_mappings->TotalBytes(), 16 * kPage);
  if (row.locked_bytes == 16 * kPage) GTEST_SKIP() << "this kernel does not leak";
  EXPECT_EQ(row.locked_bytes, 32 * kPage);
  EXPECT_EQ(row.drift_bytes, static_cast<int64_t>(16 * kPage));
}

bool LockOneOfEachKind() {
  const int memfd = memfd_create("kinds", 0);
  const int file = open("/proc/self/exe", O_RDONLY);
  if (memfd < 0 || file < 0 || ftruncate(memfd, 3 * kPage) != 0) return false;
  void* const shmem = mmap(nullptr, 3 * kPage, PROT_READ, MAP_SHARED, memfd, 0);
  void* const text = mmap(nullptr, 5 * kPage, PROT_READ, MAP_PRIVATE, file, 0);
  char* const heap = static_cast<char*>(sbrk(2 * kPage + kPage));
  char* const page = heap + (kPage - reinterpret_cast<uintptr_t>(heap) % kPage) % kPage;
  return mlock(shmem, 3 * kPage) == 0 && mlock(text, 5 * kPage) == 0 &&
         mlock(page, 2 * kPage) == 0 && mlock(Map(kPage), kPage) == 0 &&
         mlock2(Map(7 * kPage), 7 * kPage, MLOCK_ONFAULT) == 0;
}

TEST_P(SnapshotFrom, TellsLockedMappingsByKind) {
  const Child child(LockOneOfEachKind);
  ASSERT_TRUE(child.ok());
  const ProcessRow row = RowOf(child.pid(), Read());
  ASSERT_TRUE(row.locked_mappings.has_value());
  EXPECT_EQ(row.locked_bytes, 18 * kPage);
  EXPECT_EQ(row.drift_bytes, 0);
  // A program on a tmpfs is shared memory too; only BPF asks the file system.
  struct statfs own = {};
  ASSERT_EQ(statfs("/proc/self/exe", &own), 0);
  const size_t of_file = IsBpf() && own.f_type == TMPFS_MAGIC ? 0 : 5 * kPage;
  EXPECT_EQ(row.locked_mappings->file_bytes, of_file);
  EXPECT_EQ(row.locked_mappings->shmem_bytes, 8 * kPage - of_file);
  EXPECT_EQ(row.locked_mappings->heap_bytes, 2 * kPage);
  EXPECT_EQ(row.locked_mappings->anonymous_bytes, 8 * kPage);
  const auto on_fault = IsBpf() ? std::make_optional(7 * kPage) : std::nullopt;
  EXPECT_EQ(row.locked_mappings->on_fault_bytes, on_fault);
}

TEST_P(SnapshotFrom, FollowsAProcessFromReadToRead) {
  const Snapshot before = Read();
  char* const pages = Map(4 * kPage);
  ASSERT_EQ(mlock(pages, 4 * kPage), 0);
  const ProcessRow locked = RowOf(getpid(), Read());
  EXPECT_EQ(locked.locked_bytes, 4 * kPage);
  ASSERT_TRUE(locked.locked_mappings.has_value());
  EXPECT_EQ(locked.locked_mappings->anonymous_bytes, 4 * kPage);
  const ProcessRow again = RowOf(getpid(), Read());
  ASSERT_TRUE(again.locked_mappings.has_value());
  EXPECT_EQ(again.locked_mappings->anonymous_bytes, 4 * kPage);
  munmap(pages, 4 * kPage);
  EXPECT_EQ(RowOf(getpid(), Read()).locked_bytes, RowOf(getpid(), before).locked_bytes);
}

void* LockAndWait(void*) {
  const bool ok = mlock(Map(6 * kPage), 6 * kPage) == 0;
  for (;;) {
    if (!ok) _exit(1);
    pause();
  }
}

TEST_P(SnapshotFrom, SeesAProcessWhoseMainThreadHasEnded) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_t thread;
    if (pthread_create(&thread, nullptr, LockAndWait, nullptr) != 0) _exit(1);
    syscall(SYS_exit, 0);
  }
  ASSERT_GT(pid, 0);
  ProcessRow row;
  for (int attempt = 0; attempt < 100 && row.locked_bytes == 0; ++attempt) {
    usleep(20000);
    const Snapshot snapshot = Read();
    for (const ProcessRow& each : snapshot.processes) {
      if (each.pid == pid) row = each;
    }
  }
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  EXPECT_EQ(row.locked_bytes, 6 * kPage);
  EXPECT_EQ(row.drift_bytes, 0);
}

// A library of that name: what the audit must notice, however late it comes.
class NamedLibrary {
 public:
  NamedLibrary() {
    char directory[] = "/tmp/pagewarden-reader-XXXXXX";
    directory_ = mkdtemp(directory);
    path_ = directory_ + "/libpagewarden.so";
    const int fd = open(path_.c_str(), O_RDWR | O_CREAT, 0755);
    if (ftruncate(fd, kPage) != 0) path_.clear();
    close(fd);
  }
  ~NamedLibrary() {
    if (mapped_ != MAP_FAILED) munmap(mapped_, kPage);
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }
  bool MapIt() {
    const int fd = open(path_.c_str(), O_RDONLY);
    mapped_ = mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    close(fd);
    return mapped_ != MAP_FAILED;
  }

 private:
  void* mapped_ = MAP_FAILED;
  std::string directory_;
  std::string path_;
};

TEST_P(SnapshotFrom, NoticesAShimThatLocksNothing) {
  NamedLibrary library;
  const Child child([&library] { return library.MapIt(); });
  ASSERT_TRUE(child.ok());
  const ProcessRow row = RowOf(child.pid(), Read());
  EXPECT_TRUE(row.shim_loaded);
  EXPECT_EQ(row.locked_bytes, 0u);
  EXPECT_FALSE(RowOf(getpid(), Read()).shim_loaded);
}

TEST_P(SnapshotFrom, NoticesAShimThatComesLate) {
  NamedLibrary library;
  EXPECT_FALSE(RowOf(getpid(), Read()).shim_loaded);
  ASSERT_TRUE(library.MapIt());
  EXPECT_TRUE(RowOf(getpid(), Read()).shim_loaded);
  EXPECT_TRUE(RowOf(getpid(), Read()).shim_loaded);
}

class LockedSegmentOwner {
 public:
  LockedSegmentOwner() : id_(shmget(IPC_PRIVATE, 3 * kPage, 0600)) {
    ok_ = id_ >= 0 && shmctl(id_, SHM_LOCK, nullptr) == 0;
  }
  ~LockedSegmentOwner() { shmctl(id_, IPC_RMID, nullptr); }
  bool ok() const { return ok_; }
  int id() const { return id_; }

 private:
  int id_;
  bool ok_;
};

TEST_P(SnapshotFrom, FindsLockedSegmentsThatNoProcessMaps) {
  const LockedSegmentOwner segment;
  ASSERT_TRUE(segment.ok());
  const Snapshot snapshot = Read();
  const auto uid = snapshot.residue_details.find(geteuid());
  ASSERT_NE(uid, snapshot.residue_details.end());
  const auto& segments = uid->second.segments;
  const auto found = std::find_if(segments.begin(), segments.end(), [&](const LockedSegment& each) {
    return each.shmid == segment.id() && each.creator_pid == getpid();
  });
  ASSERT_NE(found, segments.end());
  EXPECT_EQ(found->bytes, 3 * kPage);
  EXPECT_EQ(found->attached, 0u);
  EXPECT_GE(uid->second.shm_locked_bytes, 3 * kPage);
}

TEST_P(SnapshotFrom, EntersOtherIpcNamespaces) {
  const Child child([] {
    if (unshare(CLONE_NEWIPC) != 0) return false;
    return shmctl(shmget(IPC_PRIVATE, 5 * kPage, 0600), SHM_LOCK, nullptr) == 0;
  });
  if (!child.ok()) GTEST_SKIP() << "no ipc namespaces here";
  const Snapshot snapshot = Read();
  struct stat info;
  ASSERT_EQ(stat(absl::StrCat("/proc/", child.pid(), "/ns/ipc").c_str(), &info), 0);
  bool found = false;
  for (const LockedSegment& each : snapshot.residue_details.at(geteuid()).segments) {
    found |= each.ipc_namespace == info.st_ino && each.bytes == 5 * kPage;
  }
  EXPECT_TRUE(found);
}

bool RegisterBuffers() {
  if (setresuid(kNobody, kNobody, kNobody) != 0) return false;
  io_uring_params parameters = {};
  const int ring = static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters));
  iovec buffers[2] = {{Map(9 * kPage), 9 * kPage}, {Map(4 * kPage), 4 * kPage}};
  return ring >= 0 && dup(ring) >= 0 &&
         syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, buffers, 2) == 0;
}

bool MapPerfBuffer() {
  perf_event_attr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_DUMMY;
  const int event = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  return event >= 0 &&
         mmap(nullptr, 9 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0) != MAP_FAILED;
}

const ResidueHolder* FindHolder(pid_t pid, const std::string& kind, const UidResidue& residue) {
  for (const ResidueHolder& holder : residue.holders) {
    if (holder.pid == pid && holder.kind == kind) return &holder;
  }
  return nullptr;
}

TEST_P(SnapshotFrom, NamesWhoHoldsTheResidue) {
  if (!IsBpf()) GTEST_SKIP() << "/proc has no such figure";
  const Child ring(RegisterBuffers);
  const Child perf(MapPerfBuffer);
  if (!ring.ok() || !perf.ok()) GTEST_SKIP() << "no io_uring or no perf here";
  const Snapshot snapshot = Read();

  const UidResidue& nobody = snapshot.residue_details.at(kNobody);
  const ResidueHolder* holder = FindHolder(ring.pid(), "io_uring", nobody);
  ASSERT_NE(holder, nullptr);
  EXPECT_EQ(holder->files, 2u);
  EXPECT_GE(holder->bytes.value_or(0), 13 * kPage);  // and the rings, where they are charged
  EXPECT_LE(holder->bytes.value_or(0), 16 * kPage);
  EXPECT_EQ(nobody.residue_bytes, snapshot.residue.at(kNobody));
  EXPECT_GE(nobody.explained_bytes, 13 * kPage);

  holder = FindHolder(perf.pid(), "perf", snapshot.residue_details.at(geteuid()));
  ASSERT_NE(holder, nullptr);
  EXPECT_EQ(holder->bytes, 9 * kPage);
}

TEST_P(SnapshotFrom, ReadsWhatTheReasonsNeed) {
  const Child child([] {
    return mlockall(MCL_FUTURE | MCL_ONFAULT) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  });
  ASSERT_TRUE(child.ok());
  const ProcessRow row = RowOf(child.pid(), Read());
  EXPECT_EQ(row.real_uid, getuid());
  EXPECT_TRUE(row.no_new_privs);
  EXPECT_TRUE(row.in_initial_user_ns);
  EXPECT_EQ(row.seccomp, SeccompMode::kNone);
  EXPECT_GT(row.total_bytes, 0u);
  EXPECT_GE(row.peak_total_bytes, row.total_bytes);
  EXPECT_EQ(row.cap_effective & ~row.cap_permitted, 0u);
  EXPECT_EQ(row.locks_future, IsBpf() ? std::optional<bool>(true) : std::nullopt);
  EXPECT_EQ(row.start_time_ns > 0, IsBpf());
}

bool HasRow(pid_t pid, const Snapshot& snapshot) {
  return std::any_of(snapshot.processes.begin(), snapshot.processes.end(),
                     [pid](const ProcessRow& row) { return row.pid == pid; });
}

size_t CountQuiet(const Snapshot& snapshot) {
  size_t count = 0;
  for (const auto& [cgroup, sums] : snapshot.quiet) count += sums.processes;
  return count;
}

TEST_P(SnapshotFrom, SumsUpWhoLocksNothingUntilItChanges) {
  const Child idle([] { return true; });
  const Child locker([] { return mlock(Map(kPage), kPage) == 0; });
  ASSERT_TRUE(idle.ok() && locker.ok());
  SnapshotOptions options;
  options.sum_up_quiet = true;
  const auto read = [&] { return reader_->Read(options).value_or(Snapshot()); };

  Snapshot snapshot = read();
  EXPECT_TRUE(HasRow(idle.pid(), snapshot));
  EXPECT_EQ(CountQuiet(snapshot), 0u);
  snapshot = read();
  EXPECT_EQ(HasRow(idle.pid(), snapshot), !IsBpf());
  EXPECT_EQ(CountQuiet(snapshot) > 0, IsBpf());
  EXPECT_EQ(RowOf(locker.pid(), snapshot).locked_bytes, kPage);

  options.rows_of = {idle.pid()};
  const ProcessRow before = RowOf(idle.pid(), read());
  options.rows_of.clear();
  read();
  const rlimit limit = {20 * kPage, 20 * kPage};
  ASSERT_EQ(prlimit(idle.pid(), RLIMIT_MEMLOCK, &limit, nullptr), 0);
  snapshot = read();
  EXPECT_EQ(RowOf(idle.pid(), snapshot).soft_limit_bytes, 20 * kPage);
  EXPECT_EQ(snapshot.limits_before.count(idle.pid()), IsBpf() ? 1u : 0u);
  if (!IsBpf()) return;
  EXPECT_EQ(snapshot.limits_before.at(idle.pid()).soft_bytes, before.soft_limit_bytes);
  EXPECT_FALSE(HasRow(idle.pid(), read()));
}

}  // namespace
}  // namespace pagewarden
