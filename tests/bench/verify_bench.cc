// SPDX-License-Identifier: Apache-2.0
// How fast `pagewarden verify` searches memory: gigabytes a second of one core's
// time, kernel and user together. Prints `name<TAB>value`, one a line:
//
//   copy      memcpy of the same bytes, within this process: what a read costs at least
//   proc-mem  reading another process through /proc/PID/mem
//   vm-readv  the same through process_vm_readv(2)
//   windows   verify's search in bytes that are there already
//   hyperscan the same needles in the same bytes with vectorscan, 8 of each 9 bytes a literal
//   search    reading another process and searching it, as verify does: keys only
//   search-all  the same with a password too
//   needles   how many the last one looks for
//   unwiped   literals that vectorscan leaves in ordinary memory when it compiles them
//
//   verify_bench [MiB, default 128]
#include <fcntl.h>
#include <hs/hs.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "agent/proc/mappings.h"
#include "agent/proof/needles.h"
#include "agent/proof/process_scan.h"
#include "agent/proof/scanner.h"

namespace pagewarden {
namespace {

constexpr size_t kChunk = 256 << 10;
constexpr int kRounds = 5;
constexpr size_t kLiteral = 8;
constexpr size_t kStride = 9;  // any 16 bytes then hold a literal
constexpr int kKeys = 2;

[[noreturn]] void Fail(const char* what) {
  perror(what);
  exit(1);
}

double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

unsigned char* Map(size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) Fail("mmap");
  return static_cast<unsigned char*>(pages);
}

// As in a heap: a fifth each of zeros, small numbers, pointers, text, and noise.
void Fill(unsigned char* data, size_t bytes, std::mt19937_64& random) {
  for (size_t at = 0; at + 8 <= bytes; at += 8) {
    uint64_t word = random();
    switch (word % 5) {
      case 0:
        word = 0;
        break;
      case 1:
        word &= 0xff;
        break;
      case 2:
        word = 0x7f0000000000 + (word & 0xfffffff0);
        break;
      case 3:
        word = (word & 0x0f0f0f0f0f0f0f0f) + 0x6161616161616161;
        break;
    }
    memcpy(data + at, &word, sizeof(word));
  }
}

std::string Noise(size_t bytes, std::mt19937_64& random) {
  std::string noise(bytes, '\0');
  // No zeros: vectorscan takes no literal that begins with one.
  for (char& c : noise) c = static_cast<char>(random() % 255 + 1);
  return noise;
}

// The numbers of RSA keys of 2048 bits.
void AddKeys(NeedleSet& needles, std::mt19937_64& random) {
  for (int key = 0; key < kKeys; ++key) {
    PrivateKey numbers;
    for (const char* name : {"d", "p", "q", "dmp1", "dmq1", "iqmp", "u", "p-rr", "q-rr"}) {
      const std::string bytes = Noise(*name == 'd' && name[1] == 0 ? 256 : 128, random);
      numbers.components.push_back({name, SecretBytes(bytes.begin(), bytes.end())});
    }
    needles.AddKey(numbers);
  }
}

class Bench {
 public:
  Bench(const unsigned char* memory, size_t bytes, pid_t other)
      : memory_(memory), bytes_(bytes), other_(other), buffer_(Map(kChunk)) {}

  void Print(const char* name, const std::function<void()>& work) const {
    double best = 1e9;
    for (int round = 0; round < kRounds; ++round) {
      const double start = CpuSeconds();
      work();
      best = std::min(best, CpuSeconds() - start);
    }
    printf("%s\t%.3f\n", name, static_cast<double>(bytes_) / best / 1e9);
    fflush(stdout);
  }

  void EachChunk(const std::function<void(const unsigned char*)>& look) const {
    for (size_t at = 0; at < bytes_; at += kChunk) look(memory_ + at);
  }

  void Copy() const {
    Print("copy", [&] {
      EachChunk([&](const unsigned char* chunk) {
        memcpy(buffer_, chunk, kChunk);
        __asm__ volatile("" : : "r"(buffer_) : "memory");
      });
    });
  }

  void ReadOther() const {
    const std::string path = "/proc/" + std::to_string(other_) + "/mem";
    const int mem = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (mem < 0) Fail(path.c_str());
    Print("proc-mem", [&] {
      EachChunk([&](const unsigned char* chunk) {
        const auto offset = static_cast<off_t>(reinterpret_cast<uint64_t>(chunk));
        if (pread(mem, buffer_, kChunk, offset) != ssize_t{kChunk}) Fail("pread");
      });
    });
    close(mem);
    Print("vm-readv", [&] {
      EachChunk([&](const unsigned char* chunk) {
        const iovec local = {buffer_, kChunk};
        const iovec remote = {const_cast<unsigned char*>(chunk), kChunk};
        if (process_vm_readv(other_, &local, 1, &remote, 1, 0) != ssize_t{kChunk}) {
          Fail("process_vm_readv");
        }
      });
    });
  }

  void Windows(const NeedleSet& needles) const {
    const Scanner scanner(needles);
    std::vector<Fragment> fragments;
    Print("windows", [&] {
      EachChunk([&](const unsigned char* chunk) {
        scanner.Scan(ByteView(chunk, kChunk), reinterpret_cast<uint64_t>(chunk), fragments);
      });
    });
  }

  void SearchOther(const char* name, const NeedleSet& needles) const {
    const Scanner scanner(needles);
    std::vector<Mapping> mappings = {{}};
    mappings[0].start = reinterpret_cast<uint64_t>(memory_);
    mappings[0].end = mappings[0].start + bytes_;
    mappings[0].readable = true;
    Print(name, [&] {
      const auto scan = ScanProcess(other_, mappings, needles, scanner);
      if (!scan.ok() || !scan->unreadable.empty()) Fail("ScanProcess");
    });
  }

 private:
  const unsigned char* memory_;
  size_t bytes_;
  pid_t other_;
  unsigned char* buffer_;
};

struct Literals {
  std::vector<const char*> begin;
  std::vector<size_t> size;
  std::vector<unsigned> flags;
  std::vector<unsigned> id;
};

Literals LiteralsOf(const NeedleSet& needles) {
  Literals literals;
  for (size_t i = 0; i < needles.size(); ++i) {
    const ByteView bytes = needles.Bytes(needles[i]);
    for (size_t at = 0; at + kLiteral <= bytes.size(); at += kStride) {
      literals.begin.push_back(AsText(bytes).data() + at);
      literals.size.push_back(kLiteral);
      literals.flags.push_back(0);
      literals.id.push_back(static_cast<unsigned>(literals.id.size()));
    }
  }
  return literals;
}

// vectorscan's own memory: the pages that its allocator gets from here.
unsigned char* given = nullptr;
size_t given_used = 0;
constexpr size_t kGiven = 64 << 20;

void* Give(size_t bytes) {
  void* const block = given + given_used;
  given_used += (bytes + 63) / 64 * 64;
  return given_used <= kGiven ? block : nullptr;
}

// In all writable private memory but the needles themselves and what was given.
size_t CountLiterals(const Literals& literals, const NeedleSet& needles) {
  const auto mappings = ReadMappings(getpid());
  if (!mappings.ok()) Fail("smaps");
  const auto own = reinterpret_cast<uint64_t>(needles.Bytes(needles[0]).data());
  size_t found = 0;
  for (const Mapping& mapping : *mappings) {
    const auto holds = [&](uint64_t at) { return mapping.start <= at && at < mapping.end; };
    const bool skip = !mapping.writable || mapping.shared || holds(own) ||
                      holds(reinterpret_cast<uint64_t>(given));
    if (skip) continue;
    const absl::string_view memory(reinterpret_cast<const char*>(mapping.start),
                                   mapping.end - mapping.start);
    for (const char* literal : literals.begin) {
      const absl::string_view wanted(literal, kLiteral);
      for (size_t at = memory.find(wanted); at != memory.npos; at = memory.find(wanted, at + 1)) {
        ++found;
      }
    }
  }
  return found;
}

int Ignore(unsigned, unsigned long long, unsigned long long, unsigned, void*) { return 0; }

void Hyperscan(const Bench& bench, const NeedleSet& needles) {
  const Literals literals = LiteralsOf(needles);
  given = Map(kGiven);
  hs_set_allocator(Give, [](void*) {});
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(literals.begin.data(), literals.flags.data(), literals.id.data(),
                           literals.size.data(), static_cast<unsigned>(literals.begin.size()),
                           HS_MODE_BLOCK, nullptr, &database, &error) != HS_SUCCESS) {
    fprintf(stderr, "verify_bench: %s\n", error->message);
    exit(1);
  }
  hs_scratch_t* scratch = nullptr;
  if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) Fail("hs_alloc_scratch");
  bench.Print("hyperscan", [&] {
    bench.EachChunk([&](const unsigned char* chunk) {
      hs_scan(database, reinterpret_cast<const char*>(chunk), kChunk, 0, scratch, Ignore, nullptr);
    });
  });
  printf("unwiped\t%zu\n", CountLiterals(literals, needles));
}

int Main(int argc, char** argv) {
  const size_t bytes = (argc > 1 ? strtoul(argv[1], nullptr, 10) : 128) << 20;
  std::mt19937_64 random(1);
  NeedleSet keys;
  AddKeys(keys, random);
  std::mt19937_64 again(1);
  NeedleSet all;
  AddKeys(all, again);
  all.AddText(AsBytes("correct-horse-battery-staple"));
  unsigned char* const memory = Map(bytes);
  Fill(memory, bytes, random);
  const pid_t other = fork();
  if (other == 0) {
    for (;;) pause();
  }
  const Bench bench(memory, bytes, other);
  bench.Copy();
  bench.ReadOther();
  bench.Windows(keys);
  Hyperscan(bench, keys);
  bench.SearchOther("search", keys);
  bench.SearchOther("search-all", all);
  printf("needles\t%zu\n", all.size());
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  return 0;
}

}  // namespace
}  // namespace pagewarden

int main(int argc, char** argv) { return pagewarden::Main(argc, argv); }
