// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/watched_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/base/unique_fd.h"
#include "agent/proc/status.h"
#include "agent/proof/key_material.h"
#include "agent/proof/passphrase.h"
#include "agent/proof/secret_file.h"

namespace pagewarden {
namespace {

constexpr int kOpenAttempts = 3;
constexpr size_t kMinHexDigits = 32;

// Opened for its place only: a device or a pipe could be set going, or block. EAGAIN: something
// on the path was renamed meanwhile.
UniqueFd FindBelow(int root, const std::string& path) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 1;; ++attempt) {
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
    if (fd >= 0 || errno != EAGAIN || attempt == kOpenAttempts) {
      return UniqueFd(static_cast<int>(fd));
    }
  }
}

// Of what FindBelow found: nothing is looked up again.
UniqueFd OpenFound(const UniqueFd& found) {
  return UniqueFd(
      open(absl::StrCat("/proc/self/fd/", found.get()).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

SecretFileProblem NotOpened(int error) {
  if (error == ENOENT || error == ENOTDIR) return {"missing", "there is no such file"};
  return {"unreadable", strerror(error)};
}

std::optional<SecretFileProblem> CheckFile(const struct stat& info,
                                           const std::vector<uid_t>& owners) {
  if (!S_ISREG(info.st_mode)) return SecretFileProblem{"untrusted", "not a regular file"};
  const bool is_owner_known = info.st_uid == 0 || info.st_uid == geteuid() ||
                              std::find(owners.begin(), owners.end(), info.st_uid) != owners.end();
  if (!is_owner_known) {
    return SecretFileProblem{
        "untrusted", absl::StrCat("owned by uid ", info.st_uid, ", not by root, the agent's user ",
                                  "or that of the processes")};
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return SecretFileProblem{
        "untrusted",
        absl::StrFormat("mode %04o lets others write to it (chmod go-w)", info.st_mode & 07777)};
  }
  if (info.st_size <= static_cast<off_t>(kMaxKeyFileBytes)) return std::nullopt;
  return SecretFileProblem{"not_a_secret", "larger than 1 MiB"};
}

absl::string_view WithoutLineEnd(absl::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

bool IsOneLine(absl::string_view text) {
  return text.size() >= kMinTextBytes && text.size() <= kMaxTextBytes &&
         std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return absl::ascii_iscntrl(c) && c != '\t'; });
}

unsigned char DigitValue(char digit) {
  const auto c = static_cast<unsigned char>(digit);
  return static_cast<unsigned char>(absl::ascii_isdigit(c) ? c - '0'
                                                           : absl::ascii_tolower(c) - 'a' + 10);
}

SecretBytes FromHex(absl::string_view text) {
  SecretBytes bytes;
  bytes.reserve(text.size() / 2 + 1);
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(DigitValue(text[i]) << 4 | DigitValue(text[i + 1])));
  }
  return bytes;
}

bool IsHex(absl::string_view text) {
  return text.size() >= kMinHexDigits && text.size() % 2 == 0 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isxdigit(c); });
}

std::optional<SecretFileProblem> AddContents(ByteView contents, const std::string& path,
                                             NeedleSet& needles) {
  const auto keys = ParsePrivateKeys(contents);
  if (keys.ok()) {
    for (const PrivateKey& key : *keys) needles.AddKey(key, path);
    return std::nullopt;
  }
  if (IsPassphraseNeeded(keys.status())) {
    return SecretFileProblem{"encrypted",
                             "its private key is encrypted, and nobody can give the "
                             "agent the passphrase: use pagewarden verify"};
  }
  const absl::string_view text = WithoutLineEnd(AsText(contents));
  if (absl::StrContains(text, "-----BEGIN ")) {
    return SecretFileProblem{"not_a_secret", std::string(keys.status().message())};
  }
  if (!IsOneLine(text)) {
    return SecretFileProblem{"not_a_secret",
                             "neither private keys nor one line of text of 8 to "
                             "4096 bytes"};
  }
  needles.AddText(AsBytes(text), path);
  if (IsHex(text)) needles.AddRaw(FromHex(text), path);
  return std::nullopt;
}

}  // namespace

std::vector<uid_t> FileOwners(const std::vector<pid_t>& pids) {
  std::vector<uid_t> owners;
  for (const pid_t pid : pids) {
    if (const auto status = ReadStatus(pid); status.ok()) owners.push_back(status->uid);
    if (const auto root = NamespaceRoot(pid); root.has_value()) owners.push_back(*root);
  }
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  return owners;
}

std::optional<SecretFileProblem> AddSecretFile(int root, const std::string& path,
                                               const std::vector<uid_t>& owners,
                                               NeedleSet& needles) {
  const UniqueFd found = FindBelow(root, path);
  if (!found.ok()) return NotOpened(errno);
  struct stat info = {};
  if (fstat(found.get(), &info) != 0) return NotOpened(errno);
  if (auto problem = CheckFile(info, owners); problem.has_value()) return problem;
  const UniqueFd fd = OpenFound(found);
  if (!fd.ok()) return NotOpened(errno);
  const auto contents = ReadSecret(fd.get(), path, static_cast<size_t>(info.st_size));
  if (!contents.ok()) {
    return SecretFileProblem{"unreadable", "it cannot be read, or grew while it was"};
  }
  return AddContents(*contents, path, needles);
}

}  // namespace pagewarden
