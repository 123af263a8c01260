// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/event_ring.h"

#include <cerrno>

#include "agent/bpf/bpf_error.h"

namespace pagewarden {

int EventRing::Take(void* taker, void* data, size_t bytes) {
  (**static_cast<Taker**>(taker))(absl::string_view(static_cast<const char*>(data), bytes));
  return 0;
}

absl::StatusOr<EventRing> EventRing::Open(int map) {
  EventRing ring;
  ring.taker_ = std::make_unique<Taker*>(nullptr);
  ring.ring_.reset(ring_buffer__new(map, Take, ring.taker_.get(), nullptr));
  if (!ring.ring_) return BpfError(errno, "opening a BPF ring buffer");
  return ring;
}

void EventRing::Drain(Taker take) {
  *taker_ = &take;
  ring_buffer__consume(ring_.get());
  *taker_ = nullptr;
}

}  // namespace pagewarden
