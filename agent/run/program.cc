// SPDX-License-Identifier: Apache-2.0
#include "agent/run/program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/base/files.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {
namespace {

constexpr char kDefaultSearchPath[] = "/bin:/usr/bin";
constexpr int kMaxInterpreters = 4;     // the kernel follows no more (binfmt_script)
constexpr size_t kHashBangBytes = 256;  // BINPRM_BUF_SIZE

// 0, or why the file cannot be executed.
int CheckExecutable(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return errno;
  if (!S_ISREG(info.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

absl::Status CannotRun(int error, const std::string& command) {
  if (error == ENOENT || error == ENOTDIR) {
    return absl::NotFoundError(absl::StrCat(command, ": command not found"));
  }
  return absl::PermissionDeniedError(absl::StrCat(command, ": not an executable file"));
}

absl::StatusOr<std::string> Search(const std::string& command, const char* search_path) {
  if (command.find('/') != std::string::npos) {
    const int error = CheckExecutable(command);
    if (error != 0) return CannotRun(error, command);
    return command;
  }
  int worst = ENOENT;
  const char* directories = search_path == nullptr ? kDefaultSearchPath : search_path;
  for (absl::string_view directory : absl::StrSplit(directories, ':')) {
    const std::string path = directory.empty() ? command : absl::StrCat(directory, "/", command);
    const int error = command.empty() ? ENOENT : CheckExecutable(path);
    if (error == 0) return path;
    if (error == EACCES) worst = EACCES;
  }
  return CannotRun(worst, command);
}

absl::StatusOr<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&free)> resolved(realpath(path.c_str(), nullptr), &free);
  if (resolved == nullptr) return CannotRun(errno, path);
  return std::string(resolved.get());
}

// The interpreter a "#!" line names; empty for other files and unreadable ones.
std::string HashBang(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[kHashBangBytes];
  const ssize_t got = fd.ok() ? pread(fd.get(), buffer, sizeof(buffer), 0) : -1;
  if (got < 2 || buffer[0] != '#' || buffer[1] != '!') return "";
  absl::string_view line(buffer + 2, static_cast<size_t>(got) - 2);
  line = line.substr(0, line.find('\n'));
  const size_t start = line.find_first_not_of(" \t");
  if (start == absl::string_view::npos) return "";
  line.remove_prefix(start);
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

}  // namespace

absl::StatusOr<Program> FindProgram(const std::string& command, const char* search_path) {
  absl::StatusOr<std::string> path = Search(command, search_path);
  if (!path.ok()) return path.status();
  Program program{*path, *path, false};
  for (int i = 0; i < kMaxInterpreters; ++i) {
    absl::StatusOr<std::string> real = RealPath(program.executable);
    if (!real.ok()) return real.status();
    program.executable = *std::move(real);
    const std::string interpreter = HashBang(program.executable);
    if (interpreter.empty()) return program;
    const int error = CheckExecutable(interpreter);
    if (error != 0) {
      return CannotRun(error, absl::StrCat(*path, ": interpreter ", interpreter));
    }
    program.executable = interpreter;
    program.is_script = true;
  }
  return absl::PermissionDeniedError(
      absl::StrCat(*path, ": more than ", kMaxInterpreters, " interpreters in a row"));
}

}  // namespace pagewarden
