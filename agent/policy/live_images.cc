// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/live_images.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "agent/policy/code_directory.h"
#include "agent/policy/image.h"
#include "agent/policy/live_window.h"
#include "agent/policy/scope_library.h"
#include "preload/abi/interceptors.h"

namespace pagewarden {
namespace {

constexpr char kImageName[] = "policy.image";
constexpr char kScopesName[] = "scopes.so";
constexpr char kHostName[] = "host";
constexpr char kCgroupName[] = "cgroup";
constexpr char kCgroupsName[] = "cgroups";
constexpr char kLockName[] = "publish.lock";
constexpr size_t kMaxCgroupBytes = 4096;  // PATH_MAX
constexpr size_t kMaxScopesBytes = 64 << 20;
constexpr size_t kHashBytes = 16;

// For as long as one publishes. Not of the directory itself: whoever can open a file, if
// only for reading, can lock it for good (flock(2)).
class PublishLock {
 public:
  explicit PublishLock(int directory)
      : fd_(openat(directory, kLockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    while ((error_ = !fd_.ok() || flock(fd_.get(), LOCK_EX) != 0 ? errno : 0) == EINTR) {
    }
  }
  int error() const { return error_; }

 private:
  UniqueFd fd_;
  int error_ = 0;
};

absl::StatusOr<std::string> FolderOf(const std::string& cgroup) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int bytes = 0;
  if (EVP_Digest(cgroup.data(), cgroup.size(), digest, &bytes, EVP_sha256(), nullptr) != 1 ||
      bytes < kHashBytes) {
    return absl::InternalError("SHA-256 is not available");
  }
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), kHashBytes});
}

// Empty: there is no such file.
std::string ReadSmall(int directory, const std::string& name, size_t max_bytes) {
  const UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok()) return "";
  return ReadAll(fd.get(), max_bytes, name).value_or("");
}

absl::StatusOr<OwnedDirectory> CodeOf(const std::string& cgroup, const OwnedDirectory& directory) {
  if (cgroup.empty()) return CodeDirectory(directory, kHostName);
  const absl::StatusOr<std::string> folder = FolderOf(cgroup);
  return folder.ok() ? CodeDirectory(directory, *folder) : folder.status();
}

template <typename List>
void AddNew(const List& names, absl::flat_hash_set<std::string>& seen,
            std::vector<std::string>& to) {
  for (const auto& name : names) {
    if (seen.insert(name).second) to.emplace_back(name);
  }
}

absl::StatusOr<std::string> CompileChecked(const std::vector<AllocationPolicy>& policies) {
  absl::StatusOr<std::string> image = CompilePolicyImage(policies);
  if (!image.ok()) return image;
  if (absl::Status status = ValidatePolicyImage(*image); !status.ok()) return status;
  return image;
}

// Another file in place of the old one, whose processes keep what they have.
absl::StatusOr<uint32_t> Replace(const OwnedDirectory& directory, absl::string_view image,
                                 absl::StatusOr<LiveWindow>& old) {
  const uint32_t generation = old.ok() ? old->generation() + 1 : 1;
  const NewWindow window = MakeWindow(image, generation);
  if (window.file_bytes < window.bytes.size()) {
    return absl::ResourceExhaustedError("the compiled policies do not fit a live image");
  }
  absl::Status status = directory.WriteFile(kImageName, window.bytes, window.file_bytes);
  if (!status.ok()) return status;
  if (old.ok()) old->Close();
  return generation;
}

absl::StatusOr<uint32_t> PutInForce(const OwnedDirectory& directory, absl::string_view image) {
  absl::StatusOr<LiveWindow> window = LiveWindow::Open(directory.fd(), kImageName);
  if (!window.ok()) return Replace(directory, image, window);
  if (window->Current() == image) return window->generation();
  const absl::Status status = window->Publish(image);
  if (status.ok()) return window->generation();
  return absl::IsResourceExhausted(status) ? Replace(directory, image, window)
                                           : absl::StatusOr<uint32_t>(status);
}

void UnlinkIfThere(int directory, const char* name) { unlinkat(directory, name, 0); }

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

std::vector<std::string> EntriesOf(const OwnedDirectory& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> open(opendir(directory.path().c_str()));
  while (open != nullptr) {
    const dirent* entry = readdir(open.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

}  // namespace

std::vector<std::string> PresetFunctions(const std::vector<Preset>& presets) {
  std::vector<std::string> functions;
  absl::flat_hash_set<std::string> seen;
  for (const Preset& preset : presets) AddNew(preset.spec.during, seen, functions);
  return functions;
}

absl::StatusOr<LiveImages> LiveImages::Open(OwnedDirectory runtime, std::string shim_path,
                                            std::vector<std::string> functions) {
  return LiveImages(std::move(runtime), std::move(shim_path), std::move(functions));
}

absl::StatusOr<OwnedDirectory> LiveImages::DirectoryOf(const std::string& cgroup) const {
  if (cgroup.empty()) return OwnedDirectory::Open(runtime_.path());
  const absl::StatusOr<std::string> folder = FolderOf(cgroup);
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<OwnedDirectory> cgroups = runtime_.OpenChild(kCgroupsName);
  if (!cgroups.ok()) return cgroups.status();
  absl::StatusOr<OwnedDirectory> directory = cgroups->OpenChild(*folder);
  if (!directory.ok()) return directory;
  if (ReadSmall(directory->fd(), kCgroupName, kMaxCgroupBytes) == cgroup) return directory;
  if (absl::Status status = directory->WriteFile(kCgroupName, cgroup); !status.ok()) return status;
  return directory;
}

// In one order whatever the policies are, as far as can be: who maps an older library finds
// the functions of a newer image by name, which is quick where the order is the same.
absl::Status LiveImages::WriteScopes(const OwnedDirectory& directory,
                                     const std::vector<AllocationPolicy>& policies) const {
  std::vector<std::string> functions;
  absl::flat_hash_set<std::string> seen;
  AddNew(functions_, seen, functions);
  AddNew(FunctionTable(policies), seen, functions);
  AddNew(abi::kLookupFunctions, seen, functions);
  AddNew(abi::kFileFunctions, seen, functions);
  AddNew(abi::kThreadNameFunctions, seen, functions);
  AddNew(abi::kSandboxFunctions, seen, functions);
  const absl::StatusOr<std::string> library = BuildScopeLibrary(functions, shim_path_);
  if (!library.ok()) return library.status();
  if (ReadSmall(directory.fd(), kScopesName, kMaxScopesBytes) == *library) return absl::OkStatus();
  return directory.WriteFile(kScopesName, *library);
}

absl::StatusOr<LiveImage> LiveImages::Publish(const std::string& cgroup,
                                              const std::vector<AllocationPolicy>& policies) {
  const absl::StatusOr<std::string> image = CompileChecked(policies);
  if (!image.ok()) return image.status();
  const PublishLock lock(runtime_.fd());
  if (lock.error() != 0) return ErrnoStatus(lock.error(), runtime_.path());
  const absl::StatusOr<OwnedDirectory> directory = DirectoryOf(cgroup);
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<OwnedDirectory> code = CodeOf(cgroup, *directory);
  if (!code.ok()) return code.status();
  // First: a process that starts in between has hooks for what comes.
  if (absl::Status status = WriteScopes(*code, policies); !status.ok()) return status;
  const absl::StatusOr<uint32_t> generation = PutInForce(*directory, *image);
  if (!generation.ok()) return generation.status();
  return LiveImage{absl::StrCat(directory->path(), "/", kImageName),
                   absl::StrCat(code->path(), "/", kScopesName), *generation};
}

uint32_t LiveImages::GenerationOf(const std::string& cgroup) const {
  const absl::StatusOr<OwnedDirectory> directory = DirectoryOf(cgroup);
  if (!directory.ok()) return 0;
  const absl::StatusOr<LiveWindow> window = LiveWindow::Open(directory->fd(), kImageName);
  return window.ok() ? window->generation() : 0;
}

std::vector<std::string> LiveImages::Cgroups() const {
  std::vector<std::string> cgroups;
  if (LiveWindow::Open(runtime_.fd(), kImageName).ok()) cgroups.emplace_back();
  const absl::StatusOr<OwnedDirectory> folders = runtime_.OpenChild(kCgroupsName);
  if (!folders.ok()) return cgroups;
  for (const std::string& name : EntriesOf(*folders)) {
    const absl::StatusOr<OwnedDirectory> folder = folders->OpenChild(name);
    if (!folder.ok() || !LiveWindow::Open(folder->fd(), kImageName).ok()) continue;
    std::string cgroup = ReadSmall(folder->fd(), kCgroupName, kMaxCgroupBytes);
    if (FolderOf(cgroup).value_or("") == name) cgroups.push_back(std::move(cgroup));
  }
  std::sort(cgroups.begin(), cgroups.end());
  return cgroups;
}

absl::Status LiveImages::Remove(const std::string& cgroup) {
  const PublishLock lock(runtime_.fd());
  if (lock.error() != 0) return ErrnoStatus(lock.error(), runtime_.path());
  const absl::StatusOr<OwnedDirectory> directory = DirectoryOf(cgroup);
  if (!directory.ok()) return directory.status();
  if (absl::StatusOr<LiveWindow> window = LiveWindow::Open(directory->fd(), kImageName);
      window.ok()) {
    window->Close();
  }
  const absl::StatusOr<OwnedDirectory> code = CodeOf(cgroup, *directory);
  if (code.ok()) UnlinkIfThere(code->fd(), kScopesName);
  for (const char* name : {kImageName, kCgroupName}) UnlinkIfThere(directory->fd(), name);
  if (code.ok() && code->path() != directory->path()) rmdir(code->path().c_str());
  if (!cgroup.empty() && rmdir(directory->path().c_str()) != 0) {
    return ErrnoStatus(errno, directory->path());
  }
  return absl::OkStatus();
}

}  // namespace pagewarden
