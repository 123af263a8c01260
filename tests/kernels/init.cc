// SPDX-License-Identifier: Apache-2.0
// Process 1 of a guest of scripts/kernel-matrix: mounts what the tests need, runs
// the jobs of /jobs one after the other, tells the host over the second serial port
// what each said, and powers off. Static: it comes before any library.
//
// /jobs: a line a job, fields split by tabs: name, seconds, program, arguments.
// The port: "@@ begin NAME", what the job wrote, "@@ end NAME STATUS MILLISECONDS";
// "@@ done" last. STATUS is the exit code, 128 plus a signal, or 124: out of time.
#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr char kPort[] = "/dev/ttyS1";
constexpr int kMaxArguments = 64;
constexpr int kOutOfTime = 124;

int port = -1;

__attribute__((format(printf, 1, 2))) void Tell(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vdprintf(port, format, arguments);
  va_end(arguments);
  tcdrain(port);
}

struct Mount {
  const char* type;
  const char* target;
  const char* options;
};

// A kernel may lack one: what needs it says so itself.
void MountAll(const Mount* mounts, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    mkdir(mounts[i].target, 0755);
    if (mount(mounts[i].type, mounts[i].target, mounts[i].type, 0, mounts[i].options) != 0) {
      fprintf(stderr, "init: %s on %s: %s\n", mounts[i].type, mounts[i].target, strerror(errno));
    }
  }
}

constexpr Mount kBasic[] = {
    {"proc", "/proc", ""},
    {"sysfs", "/sys", ""},
    {"devtmpfs", "/dev", ""},
    {"tmpfs", "/dev/shm", ""},
    {"devpts", "/dev/pts", ""},
    {"tmpfs", "/run", "mode=0755"},
    {"tmpfs", "/tmp", "mode=1777"},
    {"bpf", "/sys/fs/bpf", ""},
    {"tracefs", "/sys/kernel/tracing", ""},
    {"securityfs", "/sys/kernel/security", ""},
};
constexpr Mount kUnified[] = {{"cgroup2", "/sys/fs/cgroup", ""}};
constexpr Mount kLegacy[] = {
    {"tmpfs", "/sys/fs/cgroup", ""},
    {"cgroup", "/sys/fs/cgroup/memory", "memory"},
    {"cgroup", "/sys/fs/cgroup/pids", "pids"},
};

void WriteFile(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) {
    fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
  }
  if (fd >= 0) close(fd);
}

// PAGEWARDEN_CGROUPS comes from the kernel's command line: "v1", or v2.
void MountCgroups() {
  const char* const wanted = getenv("PAGEWARDEN_CGROUPS");
  if (wanted != nullptr && strcmp(wanted, "v1") == 0) {
    MountAll(kLegacy, sizeof(kLegacy) / sizeof(kLegacy[0]));
    return;
  }
  MountAll(kUnified, sizeof(kUnified) / sizeof(kUnified[0]));
  WriteFile("/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids");
}

bool OpenPort() {
  port = open(kPort, O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios settings;
  if (port < 0 || tcgetattr(port, &settings) != 0) return false;
  cfmakeraw(&settings);
  cfsetspeed(&settings, B115200);
  return tcsetattr(port, TCSANOW, &settings) == 0;
}

// As a login would have it, not as the first process of a kernel has it.
void LimitLikeALogin() {
  rlimit files = {1024, 524288};
  setrlimit(RLIMIT_NOFILE, &files);
}

struct Job {
  char* name;
  unsigned seconds;
  char* arguments[kMaxArguments + 1];
};

bool Parse(char* line, Job* job) {
  line[strcspn(line, "\n")] = '\0';
  char* state = nullptr;
  job->name = strtok_r(line, "\t", &state);
  const char* const seconds = strtok_r(nullptr, "\t", &state);
  if (job->name == nullptr || seconds == nullptr) return false;
  job->seconds = static_cast<unsigned>(strtoul(seconds, nullptr, 10));
  int count = 0;
  while (count < kMaxArguments) {
    job->arguments[count] = strtok_r(nullptr, "\t", &state);
    if (job->arguments[count] == nullptr) break;
    ++count;
  }
  job->arguments[count] = nullptr;
  return count > 0;
}

[[noreturn]] void Become(const Job& job) {
  setsid();
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  dup2(port, STDOUT_FILENO);
  dup2(port, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(job.arguments[0], job.arguments);
  Tell("init: %s: %s\n", job.arguments[0], strerror(errno));
  _exit(127);
}

int64_t Milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000} + now.tv_nsec / 1000000;
}

// Reaps whatever ends, orphans too, until `child` does or `deadline` has passed.
int WaitFor(pid_t child, int64_t deadline) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  for (;;) {
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended != child) continue;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (Milliseconds() >= deadline) return kOutOfTime;
    const timespec moment = {0, 100000000};
    sigtimedwait(&wanted, nullptr, &moment);
  }
}

void Run(const Job& job) {
  Tell("@@ begin %s\n", job.name);
  const int64_t start = Milliseconds();
  const pid_t child = fork();
  if (child == 0) Become(job);
  const int status = WaitFor(child, start + job.seconds * int64_t{1000});
  kill(-1, SIGKILL);  // what it left running; not this process
  while (waitpid(-1, nullptr, 0) > 0) {
  }
  Tell("\n@@ end %s %d %lld\n", job.name, status, static_cast<long long>(Milliseconds() - start));
}

void RunAll() {
  FILE* const jobs = fopen("/jobs", "re");
  if (jobs == nullptr) return;
  char line[4096];
  Job job;
  while (fgets(line, sizeof(line), jobs) != nullptr) {
    if (Parse(line, &job)) Run(job);
  }
  fclose(jobs);
}

}  // namespace

int main() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  MountAll(kBasic, sizeof(kBasic) / sizeof(kBasic[0]));
  MountCgroups();
  LimitLikeALogin();
  setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
  setenv("HOME", "/root", 1);
  setenv("TERM", "dumb", 1);
  if (OpenPort()) {
    RunAll();
    Tell("@@ done\n");
  } else {
    fprintf(stderr, "init: %s: %s\n", kPort, strerror(errno));
  }
  reboot(LINUX_REBOOT_CMD_POWER_OFF);
  return 1;
}
