// SPDX-License-Identifier: Apache-2.0
#include "agent/elf/closure.h"

#include <unistd.h>

#include <filesystem>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/proc/mappings.h"
#include "agent/proc/status.h"
#include "preload/abi/pattern.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxModules = 1024;
constexpr const char* kDefaultPaths[] = {"/lib/x86_64-linux-gnu",
                                         "/usr/lib/x86_64-linux-gnu",
                                         "/lib64",
                                         "/usr/lib64",
                                         "/lib",
                                         "/usr/lib"};

std::string Directory(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

// Breadth first, as the loader: `modules` is the queue.
class Resolver {
 public:
  explicit Resolver(const LoaderCache& cache) : cache_(cache) {}

  void Start(const std::string& path, ElfModule elf) {
    closure_.modules.push_back({path, std::move(elf)});
  }

  Closure Run() {
    for (size_t i = 0; i < closure_.modules.size(); ++i) {
      const std::vector<std::string> needed = closure_.modules[i].elf.needed;
      for (const std::string& name : needed) Load(name, i);
    }
    return std::move(closure_);
  }

 private:
  void Load(const std::string& name, size_t by) {
    if (closure_.modules.size() >= kMaxModules || !names_.insert(name).second) return;
    const LoadedModule& needs_it = closure_.modules[by];
    const std::string path = Find(name, needs_it);
    if (path.empty()) {
      closure_.problems.push_back(absl::StrCat(needs_it.path, ": needs ", name, ": not found"));
      return;
    }
    auto elf = ReadElfModule(path);
    if (!elf.ok()) {
      closure_.problems.emplace_back(elf.status().message());
      return;
    }
    if (!elf->soname.empty()) names_.insert(elf->soname);
    closure_.modules.push_back({path, *std::move(elf)});
  }

  std::string Find(const std::string& name, const LoadedModule& by) const {
    if (absl::StrContains(name, '/')) return name;
    std::optional<std::string> found;
    if (by.elf.runpath.empty()) found = Search(name, by.elf.rpath, by.path);
    if (!found.has_value() && by.elf.runpath.empty())
      found = Search(name, OfExecutable().rpath, "");
    if (!found.has_value()) found = Search(name, by.elf.runpath, by.path);
    if (found.has_value()) return *found;
    const auto cached = cache_.find(name);
    if (cached != cache_.end()) return cached->second;
    if (by.elf.ignores_default_paths) return "";
    for (const char* directory : kDefaultPaths) {
      std::string path = absl::StrCat(directory, "/", name);
      if (access(path.c_str(), R_OK) == 0) return path;
    }
    return "";
  }

  const ElfModule& OfExecutable() const { return closure_.modules.front().elf; }

  std::optional<std::string> Search(const std::string& name,
                                    const std::vector<std::string>& directories,
                                    const std::string& of) const {
    const std::string origin = Directory(of.empty() ? closure_.modules.front().path : of);
    for (const std::string& directory : directories) {
      const std::string expanded =
          absl::StrReplaceAll(directory, {{"$ORIGIN", origin},
                                          {"${ORIGIN}", origin},
                                          {"$LIB", "lib/x86_64-linux-gnu"},
                                          {"${LIB}", "lib/x86_64-linux-gnu"}});
      std::string path = absl::StrCat(expanded, "/", name);
      if (access(path.c_str(), R_OK) == 0) return path;
    }
    return std::nullopt;
  }

  const LoaderCache& cache_;
  Closure closure_;
  absl::flat_hash_set<std::string> names_;
};

void AddMapped(const std::string& path, const std::string& root, Closure& closure) {
  auto elf = ReadElfModule(absl::StrCat(root, path));
  if (elf.ok()) {
    closure.modules.push_back({path, *std::move(elf)});
  } else {
    closure.problems.emplace_back(elf.status().message());
  }
}

}  // namespace

absl::string_view LoadedModule::Name() const {
  return absl::string_view(path).substr(path.rfind('/') + 1);
}

bool LoadedModule::Matches(const std::string& pattern) const {
  return MatchesFile(pattern.c_str(), path.c_str()) ||
         MatchesPattern(pattern.c_str(), elf.soname.c_str());
}

absl::StatusOr<Closure> ReadClosure(const std::string& executable, const LoaderCache& cache) {
  auto elf = ReadElfModule(executable);
  if (!elf.ok()) return elf.status();
  Resolver resolver(cache);
  resolver.Start(executable, *std::move(elf));
  return resolver.Run();
}

absl::StatusOr<Closure> ReadProcessClosure(pid_t pid) {
  const auto mappings = ReadMappingsWithoutFlags(pid);
  if (!mappings.ok()) return mappings.status();
  const std::string root = absl::StrCat("/proc/", pid, "/root");
  Closure closure;
  absl::flat_hash_set<std::string> seen;
  const std::string exe = ReadExe(pid);
  if (!exe.empty() && seen.insert(exe).second) AddMapped(exe, root, closure);
  for (const Mapping& mapping : *mappings) {
    if (!mapping.executable || !absl::StartsWith(mapping.name, "/")) continue;
    if (seen.size() >= kMaxModules || !seen.insert(mapping.name).second) continue;
    AddMapped(mapping.name, root, closure);
  }
  return closure;
}

}  // namespace pagewarden
