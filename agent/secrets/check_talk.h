// SPDX-License-Identifier: Apache-2.0
// What a check's process and the agent say to each other over a socket, a line each:
//
//   agent                         process
//   {"policy": …}                                      the request (group_json.h)
//                                 look 812             before each process
//   yes | no
//                                 working              every second or so
//                                 result {…} | unlocked TEXT
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pagewarden {

inline constexpr char kTalkLook[] = "look ";
inline constexpr char kTalkYes[] = "yes";
inline constexpr char kTalkNo[] = "no";
inline constexpr char kTalkWorking[] = "working";
inline constexpr char kTalkResult[] = "result ";
inline constexpr char kTalkUnlocked[] = "unlocked ";

// Not thread-safe. Does not close the socket.
class LineTalk {
 public:
  explicit LineTalk(int socket) : socket_(socket) {}

  // Waits until it is taken. Unavailable: the other side has gone.
  absl::Status Say(absl::string_view line);

  // The next line, without its end. Nothing: not within `timeout`. Unavailable: the other side
  // has gone. ResourceExhausted: it is longer than 16 MiB.
  absl::StatusOr<std::optional<std::string>> Hear(absl::Duration timeout);

 private:
  int socket_;
  std::string received_;
};

}  // namespace pagewarden
