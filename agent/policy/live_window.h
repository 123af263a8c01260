// SPDX-License-Identifier: Apache-2.0
// The file of a live image (preload/abi/live_image.h), from the publisher's side.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/base/unique_fd.h"
#include "preload/abi/live_image.h"

namespace pagewarden {

// The first bytes of a new file with one image in force, and how large the file is.
struct NewWindow {
  std::string bytes;
  uint64_t file_bytes = 0;
};
NewWindow MakeWindow(absl::string_view image, uint32_t generation);

// One publisher at a time may have it open, which the caller sees to. Not thread-safe.
class LiveWindow {
 public:
  // NotFound: there is none. InvalidArgument: no live image of this version, or a broken one.
  static absl::StatusOr<LiveWindow> Open(int directory, const std::string& name);

  LiveWindow(LiveWindow&& other) noexcept;
  LiveWindow& operator=(LiveWindow&&) = delete;
  ~LiveWindow();

  uint32_t generation() const;
  // Of the image in force; empty: closed, or not a whole image.
  std::string Current() const;

  // Puts the image in force, as the next generation; one that was in force before is used
  // again. ResourceExhausted: there is no room.
  absl::Status Publish(absl::string_view image);

  // Tells the processes that nothing follows here. For the next generation's file.
  void Close();

 private:
  LiveWindow(UniqueFd fd, abi::LiveImageHeader* header) : fd_(std::move(fd)), header_(header) {}

  absl::StatusOr<uint32_t> FindOrAppend(absl::string_view image);
  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) const;
  absl::string_view ImageAt(uint64_t offset) const;
  void Store(uint64_t word);

  UniqueFd fd_;
  abi::LiveImageHeader* header_;  // mapped, with the whole window behind it
};

}  // namespace pagewarden
