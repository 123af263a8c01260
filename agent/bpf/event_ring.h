// SPDX-License-Identifier: Apache-2.0
// Reads a BPF ring buffer.
//
//   auto ring = EventRing::Open(bpf_map__fd(skeleton->maps.events));
//   ring->Drain([](absl::string_view record) { … });
#pragma once

#include <bpf/libbpf.h>

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

class EventRing {
 public:
  // `map` is borrowed and must stay open.
  static absl::StatusOr<EventRing> Open(int map);

  // Readable when there are records: for poll(2).
  int fd() const { return ring_buffer__epoll_fd(ring_.get()); }

  // Hands over all that is there, in order, without waiting. Not thread-safe.
  void Drain(absl::FunctionRef<void(absl::string_view)> take);

 private:
  struct Free {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
  };
  using Taker = absl::FunctionRef<void(absl::string_view)>;

  static int Take(void* taker, void* data, size_t bytes);

  std::unique_ptr<Taker*> taker_;  // at an address that does not move
  std::unique_ptr<ring_buffer, Free> ring_;
};

}  // namespace pagewarden
