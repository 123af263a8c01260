// SPDX-License-Identifier: Apache-2.0
// What is charged to other counters than VmLck: of the uid, or VmPin.
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/reasons/scenario.h"
#include "tests/reasons/setup.h"

namespace pagewarden {
namespace {

constexpr uint64_t kSegment = 48 * kKiB;

// Removed when nobody has it attached any more, which a lock does not prevent.
int NewSegment(uint64_t bytes, int mode) {
  const int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | mode);
  if (id < 0) return -1;
  shmat(id, nullptr, 0);
  shmctl(id, IPC_RMID, nullptr);
  return id;
}

long LockSegment(Stage& stage) { return shmctl(stage.fd, SHM_LOCK, nullptr); }

std::string ForeignSegment(Stage& stage) {
  stage.fd = NewSegment(kSegment, 0666);
  SetLimit(kPlainLimit);
  BecomeNobody();
  return stage.fd < 0 ? "no SysV shared memory here" : "";
}

std::string SegmentUnder(Stage& stage, uint64_t limit) {
  SetLimit(limit);
  BecomeNobody();
  stage.fd = NewSegment(kSegment, 0600);
  return stage.fd < 0 ? "no SysV shared memory here" : "";
}

std::string SecondSegment(Stage& stage) {
  std::string skip = SegmentUnder(stage, kPlainLimit);
  if (!skip.empty()) return skip;
  if (shmctl(stage.fd, SHM_LOCK, nullptr) != 0) return "this uid has locked segments already";
  stage.fd = NewSegment(kSegment, 0600);
  return "";
}

// Up to 5.13 a segment within the limit was let through nevertheless.
std::string HugetlbSegment(Stage&) {
  SetLimit(kPlainLimit);
  BecomeNobody();
  return "";
}
long MakeHugetlbSegment(Stage&) {
  return shmget(IPC_PRIVATE, 2 * kMiB, IPC_CREAT | SHM_HUGETLB | 0600);
}

// Opened as root, for Debian lets nobody else; charged to who maps it.
std::string PerfEvent(Stage& stage) {
  perf_event_attr attr = {};
  attr.size = sizeof(attr);
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.exclude_kernel = attr.exclude_hv = 1;
  stage.fd = static_cast<int>(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
  SetLimit(kPlainLimit);
  BecomeNobody();
  stage.bytes = (1 + 4096) * kPage;  // above what a uid has free on any machine under 32 CPUs
  return stage.fd < 0 ? "perf events are not allowed here" : "";
}
long MapPerf(Stage& stage) {
  return syscall(SYS_mmap, nullptr, stage.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, stage.fd, 0);
}

std::string Ring(Stage& stage) {
  SetLimit(kPlainLimit);
  BecomeNobody();
  io_uring_params parameters = {};
  stage.fd = static_cast<int>(syscall(SYS_io_uring_setup, 4, &parameters));
  if (stage.fd < 0) return "no io_uring here";
  stage.bytes = 128 * kKiB;
  stage.address = Map(stage.bytes);
  return "";
}
long RegisterBuffer(Stage& stage) {
  const iovec buffer = {stage.address, stage.bytes};
  return syscall(SYS_io_uring_register, stage.fd, IORING_REGISTER_BUFFERS, &buffer, 1);
}

long SetUpRing(Stage&) {
  io_uring_params parameters = {};
  return syscall(SYS_io_uring_setup, 4096, &parameters);
}
std::string LargeRing(Stage& stage) {
  SetLimit(kPlainLimit);
  BecomeNobody();
  const long ring = SetUpRing(stage);
  if (ring >= 0) {
    close(static_cast<int>(ring));
    return "this kernel does not charge rings to the uid";
  }
  return errno == ENOMEM ? "" : "no io_uring here";
}

std::string Umem(Stage& stage) {
  SetLimit(kPlainLimit);
  stage.fd = socket(AF_XDP, SOCK_RAW, 0);
  DropIpcLock(true);
  stage.bytes = kMiB;
  stage.address = Map(stage.bytes);
  return stage.fd < 0 ? "no AF_XDP here" : "";
}
long RegisterUmem(Stage& stage) {
  xdp_umem_reg umem = {};
  umem.addr = reinterpret_cast<uint64_t>(stage.address);
  umem.len = stage.bytes;
  umem.chunk_size = kPage;
  return setsockopt(stage.fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem));
}

// Down where nobody has brought it up, as in a guest without an init system.
void BringUpLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request = {};
  strcpy(request.ifr_name, "lo");
  if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) == 0) {
    request.ifr_flags |= IFF_UP;
    ioctl(fd, SIOCSIFFLAGS, &request);
  }
  close(fd);
}

// A connected pair over 127.0.0.1; the other end is kept by the process.
int ConnectedSocket() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0 || listen(listener, 1) != 0) return -1;
  getsockname(listener, generic, &size);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(client, generic, size) != 0 || accept(listener, nullptr, nullptr) < 0) return -1;
  return client;
}

std::string ZeroCopySocket(Stage& stage) {
  BringUpLoopback();
  SetLimit(kPlainLimit);
  BecomeNobody();
  stage.fd = ConnectedSocket();
  if (stage.fd < 0) return "no loopback interface is up";
  const int one = 1;
  if (setsockopt(stage.fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) != 0) {
    return "no SO_ZEROCOPY here";
  }
  stage.bytes = kMiB;
  stage.address = Map(stage.bytes);
  return "";
}
long SendZeroCopy(Stage& stage) {
  return send(stage.fd, stage.address, stage.bytes, MSG_ZEROCOPY | MSG_DONTWAIT);
}

long MakeBpfMap(Stage& stage) {
  bpf_attr attr = {};
  attr.map_type = BPF_MAP_TYPE_ARRAY;
  attr.key_size = 4;
  attr.value_size = 4096;
  attr.max_entries = static_cast<uint32_t>(stage.bytes / 4096);
  return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}
// Up to 5.10 BPF memory was charged to the uid, root's too.
std::string BpfMap(Stage& stage) {
  SetLimit(kPlainLimit);
  stage.bytes = kMiB;
  const long map = MakeBpfMap(stage);
  if (map >= 0) {
    close(static_cast<int>(map));
    return "this kernel charges BPF to the memory cgroup";
  }
  return errno == EPERM ? "" : "no BPF here";
}

}  // namespace

std::vector<Scenario> OtherCounterScenarios() {
  const auto zero = [](Stage& stage) { return SegmentUnder(stage, 0); };
  const SeenBy question = SeenBy::kQuestion, result = SeenBy::kResult;
  return {
      {"shm-not-owner", "shmctl(SHM_LOCK)", EPERM, 0, "NOT_OWNER", result, ForeignSegment,
       LockSegment},
      {"shm-limit-zero", "shmctl(SHM_LOCK)", EPERM, 0, "LIMIT_ZERO", question, zero, LockSegment},
      {"shm-uid-budget", "shmctl(SHM_LOCK)", ENOMEM, 0, "UID_BUDGET", question, SecondSegment,
       LockSegment},
      {"shm-hugetlb", "shmget(SHM_HUGETLB)", EPERM, 0, "HUGETLB_GROUP", question, HugetlbSegment,
       MakeHugetlbSegment},
      {"perf-budget", "mmap of a perf buffer", EPERM, 0, "PERF_BUDGET", question, PerfEvent,
       MapPerf},
      {"io_uring-buffers", "io_uring_register", ENOMEM, 0, "UID_BUDGET", SeenBy::kTracepoint, Ring,
       RegisterBuffer},
      {"io_uring-rings", "io_uring_setup", ENOMEM, 0, "UID_BUDGET", result, LargeRing, SetUpRing},
      {"xdp-umem", "AF_XDP umem registration", ENOBUFS, 0, "UID_BUDGET", question, Umem,
       RegisterUmem},
      {"zerocopy", "send(MSG_ZEROCOPY)", ENOBUFS, 0, "UID_BUDGET", question, ZeroCopySocket,
       SendZeroCopy},
      {"bpf-uid-budget", "bpf", EPERM, 0, "BPF_UID_BUDGET", result, BpfMap, MakeBpfMap},
  };
}

}  // namespace pagewarden
