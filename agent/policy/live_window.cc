// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/live_window.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/base/files.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {
namespace {

// Processes pay address space for it, and one that locks all its memory locks it too.
constexpr uint64_t kImagesPerWindow = 16;

uint64_t RoundUp(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

uint64_t WindowBytesFor(uint64_t image_bytes) {
  const uint64_t wanted = RoundUp(image_bytes * kImagesPerWindow, abi::kMinLiveBytes);
  return std::clamp(wanted, abi::kMinLiveBytes, abi::kMaxLiveBytes);
}

absl::Status CheckHeader(const abi::LiveImageHeader& header, uint64_t file_bytes,
                         const std::string& name) {
  const bool is_ours = memcmp(header.magic, abi::kLiveMagic, sizeof(header.magic)) == 0 &&
                       header.version == abi::kLiveImageVersion;
  if (!is_ours) return absl::InvalidArgumentError(absl::StrCat(name, ": no live image"));
  const bool is_whole = header.window_bytes == file_bytes && header.used_bytes >= sizeof(header) &&
                        header.used_bytes <= file_bytes;
  return is_whole ? absl::OkStatus()
                  : absl::InvalidArgumentError(absl::StrCat(name, ": a broken live image"));
}

}  // namespace

NewWindow MakeWindow(absl::string_view image, uint32_t generation) {
  abi::LiveImageHeader header{};
  memcpy(header.magic, abi::kLiveMagic, sizeof(header.magic));
  header.version = abi::kLiveImageVersion;
  header.window_bytes = WindowBytesFor(image.size());
  header.used_bytes = RoundUp(sizeof(header) + image.size(), abi::kLiveUnit);
  header.current = abi::LiveWord(generation, sizeof(header) / abi::kLiveUnit);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  absl::StrAppend(&bytes, image);
  return {std::move(bytes), header.window_bytes};
}

absl::StatusOr<LiveWindow> LiveWindow::Open(int directory, const std::string& name) {
  UniqueFd fd(openat(directory, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(errno, name);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, name);
  const auto bytes = static_cast<uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || bytes < abi::kMinLiveBytes || bytes > abi::kMaxLiveBytes) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": no live image"));
  }
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (at == MAP_FAILED) return ErrnoStatus(errno, name);
  auto* header = static_cast<abi::LiveImageHeader*>(at);
  if (absl::Status status = CheckHeader(*header, bytes, name); !status.ok()) {
    munmap(at, bytes);
    return status;
  }
  return LiveWindow(std::move(fd), header);
}

LiveWindow::LiveWindow(LiveWindow&& other) noexcept
    : fd_(std::move(other.fd_)), header_(std::exchange(other.header_, nullptr)) {}

LiveWindow::~LiveWindow() {
  if (header_ != nullptr) munmap(header_, header_->window_bytes);
}

uint32_t LiveWindow::generation() const {
  return abi::GenerationOf(__atomic_load_n(&header_->current, __ATOMIC_RELAXED));
}

absl::string_view LiveWindow::ImageAt(uint64_t offset) const {
  const uint64_t room = header_->used_bytes;
  if (offset < sizeof(*header_) || offset > room ||
      room - offset < sizeof(abi::PolicyImageHeader)) {
    return {};
  }
  const char* at = reinterpret_cast<const char*>(header_) + offset;
  abi::PolicyImageHeader image;
  memcpy(&image, at, sizeof(image));
  if (image.image_bytes < sizeof(image) || image.image_bytes > room - offset) return {};
  return {at, image.image_bytes};
}

std::string LiveWindow::Current() const {
  const uint32_t place = abi::PlaceOf(__atomic_load_n(&header_->current, __ATOMIC_RELAXED));
  if (place == abi::kLiveClosed) return "";
  return std::string(ImageAt(uint64_t{place} * abi::kLiveUnit));
}

absl::Status LiveWindow::WriteAt(uint64_t offset, absl::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "live image");
    offset += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> LiveWindow::FindOrAppend(absl::string_view image) {
  uint64_t offset = sizeof(*header_);
  for (;;) {
    const absl::string_view known = ImageAt(offset);
    if (known.empty()) break;
    if (known == image) return static_cast<uint32_t>(offset / abi::kLiveUnit);
    offset = RoundUp(offset + known.size(), abi::kLiveUnit);
  }
  offset = header_->used_bytes;
  if (offset > header_->window_bytes || image.size() > header_->window_bytes - offset) {
    return absl::ResourceExhaustedError("the live image is full");
  }
  // Not through the mapping: where there is no memory for the page, this is an error and
  // that a signal.
  if (absl::Status status = WriteAt(offset, image); !status.ok()) return status;
  const uint64_t used = RoundUp(offset + image.size(), abi::kLiveUnit);
  header_->used_bytes = std::min(used, header_->window_bytes);
  return static_cast<uint32_t>(offset / abi::kLiveUnit);
}

void LiveWindow::Store(uint64_t word) {
  __atomic_store_n(&header_->current, word, __ATOMIC_RELEASE);
}

absl::Status LiveWindow::Publish(absl::string_view image) {
  const absl::StatusOr<uint32_t> place = FindOrAppend(image);
  if (!place.ok()) return place.status();
  Store(abi::LiveWord(generation() + 1, *place));
  return absl::OkStatus();
}

void LiveWindow::Close() { Store(abi::LiveWord(generation() + 1, abi::kLiveClosed)); }

}  // namespace pagewarden
