// SPDX-License-Identifier: Apache-2.0
#include "preload/fence/backing.h"

#include "preload/base/ledger.h"
#include "preload/base/limits.h"
#include "preload/base/mem.h"
#include "preload/base/sys.h"
#include "preload/fence/size_classes.h"

namespace pagewarden {
namespace {

constexpr uint64_t kFirstStep = 64 << 10;
constexpr uint64_t kLargestStep = 4 << 20;

uint64_t WholePages(uint64_t bytes) { return bytes / kPageBytes * kPageBytes; }

bool Succeeded(long result) {
  if (sys::Failed(result)) CountLockError(result);
  return !sys::Failed(result);
}

// Touches every page through the kernel, which reports what would be SIGBUS
// here: since 6.12.113 and 7.2 secret memory is charged at the first touch.
bool CanTouch(unsigned char* at, uint64_t bytes) {
  for (uint64_t offset = 0; offset < bytes; offset += kPageBytes) {
    if (!Succeeded(sys::GetRandom(at + offset, 1))) return false;
    at[offset] = 0;
  }
  return true;
}

}  // namespace

uint64_t ReservationBytes(const abi::ArenaEntry& policy) {
  if (policy.on_capacity_exhausted != abi::OnCapacityExhausted::kGrow) return policy.capacity_bytes;
  constexpr uint64_t kMost = 1ull << 30;
  constexpr uint64_t kShareOfAddressSpace = 8;
  uint64_t bytes = kMost;
  const uint64_t lockable = LockableBytes();
  if (lockable < bytes) bytes = lockable;
  const uint64_t address_space = AddressSpaceBytes();
  if (address_space != kUnlimited && address_space / kShareOfAddressSpace < bytes)
    bytes = address_space / kShareOfAddressSpace;
  bytes = WholePages(bytes);
  return bytes > policy.capacity_bytes ? bytes : policy.capacity_bytes;
}

Backing::Backing(unsigned char* base, uint64_t reserved_bytes, const abi::ArenaEntry& policy)
    : base_(base),
      reserved_bytes_(reserved_bytes),
      capacity_bytes_(policy.capacity_bytes),
      most_bytes_(reserved_bytes),
      on_fork_(policy.on_fork),
      exclude_from_core_dump_((policy.flags & abi::kArenaExcludeFromCoreDump) != 0) {
  for (uint32_t i = 0; i < abi::kMaxBackings; ++i) wanted_[i] = policy.backing[i];
}

bool Backing::OpenLater(unsigned char* base, uint64_t reserved_bytes, const abi::ArenaEntry& policy,
                        Backing* out) {
  if (policy.backing[0] != abi::Backing::kLockedAnonymous) return false;
  Backing backing(base, reserved_bytes, policy);
  const bool grows = policy.on_capacity_exhausted == abi::OnCapacityExhausted::kGrow;
  if (!grows) backing.most_bytes_ = policy.capacity_bytes;
  backing.growing_step_ = kFirstStep;
  if (backing.Grow(kPageBytes) == 0) return false;
  backing.kind_ = abi::ArenaBacking::kLockedAnonymous;
  backing.capacity_bytes_ = backing.bytes_;  // the rest is growth, also to Adopt
  *out = backing;
  return true;
}

Backing Backing::Open(unsigned char* base, uint64_t reserved_bytes, const abi::ArenaEntry& policy,
                      uint64_t held_bytes) {
  Backing backing(base, reserved_bytes, policy);
  for (const abi::Backing wanted : policy.backing) {
    if (wanted == abi::Backing::kSecretMemory && backing.OpenSecret()) return backing;
    if (wanted == abi::Backing::kLockedAnonymous && backing.OpenLocked(held_bytes)) {
      if (policy.on_capacity_exhausted == abi::OnCapacityExhausted::kGrow)
        backing.growing_step_ = kFirstStep;
      return backing;
    }
  }
  // Wiping, guards and no core dump still help where nothing can be locked.
  backing.OpenUnlocked();
  return backing;
}

bool Backing::OpenSecret() {
  const long fd = sys::SecretMemory();
  if (!Succeeded(fd)) return false;
  const bool mapped = Succeeded(sys::Truncate(fd, capacity_bytes_)) &&
                      Succeeded(sys::MapShared(base_, capacity_bytes_, fd));
  sys::Close(fd);
  if (!mapped) return false;
  if (!CanTouch(base_, capacity_bytes_)) {
    sys::ReserveAt(base_, capacity_bytes_);
    return false;
  }
  sys::Advise(base_, capacity_bytes_, MADV_DONTFORK);
  bytes_ = locked_bytes_ = capacity_bytes_;
  kind_ = abi::ArenaBacking::kSecretMemory;
  return true;
}

// The whole arena, else what the limit leaves, else less: a small locked arena
// beats a large one that may be swapped.
bool Backing::OpenLocked(uint64_t held_bytes) {
  if (sys::Failed(sys::Protect(base_, capacity_bytes_, kProtRead | kProtWrite))) return false;
  uint64_t bytes = capacity_bytes_;
  bool locked = Succeeded(sys::LockOnFault(base_, bytes));
  if (!locked) {
    const uint64_t limit = WholePages(LockableBytes());
    const uint64_t left = limit > held_bytes ? limit - held_bytes : 0;
    if (left < bytes) bytes = left;
    for (; bytes != 0; bytes = WholePages(bytes / 2))
      if ((locked = Succeeded(sys::LockOnFault(base_, bytes)))) break;
  }
  if (!locked) return false;
  if (bytes != capacity_bytes_) sys::Protect(base_ + bytes, capacity_bytes_ - bytes, kProtNone);
  Advise(base_, bytes);
  bytes_ = locked_bytes_ = bytes;
  kind_ = abi::ArenaBacking::kLockedAnonymous;
  return true;
}

void Backing::OpenUnlocked() {
  if (sys::Failed(sys::Protect(base_, capacity_bytes_, kProtRead | kProtWrite))) return;
  Advise(base_, capacity_bytes_);
  bytes_ = capacity_bytes_;
}

void Backing::Advise(const unsigned char* at, uint64_t bytes) const {
  if (exclude_from_core_dump_) sys::Advise(at, bytes, MADV_DONTDUMP);
  // Excluded memory is wiped too, and then made inaccessible: MADV_DONTFORK would leave
  // a hole in the fence, which the child's next mmap fills.
  if (on_fork_ != abi::OnFork::kRelock) sys::Advise(at, bytes, MADV_WIPEONFORK);
}

// Inaccessible first: made accessible only with all its flags set, it has no pages
// yet, and merges with the mapping before it.
long Backing::MapLockedAt(const unsigned char* at, uint64_t bytes) const {
  const long mapped = sys::MapLocked(at, bytes, kProtNone);
  if (sys::Failed(mapped)) return mapped;
  Advise(at, bytes);
  return sys::Protect(at, bytes, kProtRead | kProtWrite);
}

uint64_t Backing::Grow(uint64_t least) {
  const uint64_t room = most_bytes_ > bytes_ ? most_bytes_ - bytes_ : 0;
  if (growing_step_ == 0 || least > room || least >= refused_bytes_) return 0;
  uint64_t step = least > growing_step_ ? least : growing_step_;
  if (step > room) step = room;
  for (;; step = WholePages(step / 2) > least ? WholePages(step / 2) : least) {
    if (Succeeded(MapLockedAt(base_ + bytes_, step))) break;
    if (step == least) {
      refused_bytes_ = least;
      return 0;
    }
  }
  bytes_ += step;
  locked_bytes_ += step;
  if (growing_step_ < kLargestStep) growing_step_ *= 2;
  return step;
}

// What was locked less than the policy said, for want of a right, is not tried again: that
// would be a late mlock(2).
bool Backing::Adopt(const abi::ArenaEntry& policy) {
  const bool grows = policy.on_capacity_exhausted == abi::OnCapacityExhausted::kGrow;
  const bool is_larger = policy.capacity_bytes > capacity_bytes_;
  const uint64_t wanted = grows ? UINT64_MAX : policy.capacity_bytes;
  most_bytes_ = wanted < reserved_bytes_ ? wanted : reserved_bytes_;
  const bool may_grow = kind_ == abi::ArenaBacking::kLockedAnonymous && locked_bytes_ != 0 &&
                        most_bytes_ > bytes_ && (grows || is_larger);
  if (!may_grow) growing_step_ = 0;
  if (may_grow && growing_step_ == 0) growing_step_ = kFirstStep;
  refused_bytes_ = UINT64_MAX;
  const bool excludes = (policy.flags & abi::kArenaExcludeFromCoreDump) != 0;
  bool same = excludes == exclude_from_core_dump_ && policy.on_fork == on_fork_;
  for (uint32_t i = 0; i < abi::kMaxBackings; ++i) same &= policy.backing[i] == wanted_[i];
  const bool is_reserved =
      grows ? reserved_bytes_ > capacity_bytes_ || ReservationBytes(policy) <= reserved_bytes_
            : policy.capacity_bytes <= reserved_bytes_;
  return same && is_reserved;
}

void Backing::BeforeFork() {
  if (kind_ != abi::ArenaBacking::kSecretMemory || on_fork_ != abi::OnFork::kRelock) return;
  const long at = sys::MapLocked(nullptr, bytes_, kProtRead | kProtWrite);
  if (!Succeeded(at)) return;
  staged_ = reinterpret_cast<unsigned char*>(at);
  if (exclude_from_core_dump_) sys::Advise(staged_, bytes_, MADV_DONTDUMP);
  memcpy(staged_, base_, bytes_);
}

void Backing::AfterForkInParent() {
  if (staged_ == nullptr) return;
  WipeBytes(staged_, bytes_);
  sys::Unmap(staged_, bytes_);
  staged_ = nullptr;
}

bool Backing::AfterForkInChild() {
  if (kind_ == abi::ArenaBacking::kNotInherited) return false;
  if (kind_ == abi::ArenaBacking::kSecretMemory && !TakeOverSecret()) {
    sys::ReserveAt(base_, bytes_);  // no hole in the fence for others to map into
    GiveUp();
    return false;
  }
  const bool is_copy = staged_ != nullptr;
  staged_ = nullptr;
  if (on_fork_ == abi::OnFork::kExclude) {
    sys::Protect(base_, bytes_, kProtNone);
    GiveUp();
  } else if (kind_ != abi::ArenaBacking::kUnlocked) {
    Relock();
  }
  return is_copy;
}

// The parent's mapping is not there. In its place: the staged copy, or zeros.
bool Backing::TakeOverSecret() {
  if (on_fork_ == abi::OnFork::kExclude) return false;
  if (on_fork_ == abi::OnFork::kRelock && staged_ == nullptr) return false;
  const long result =
      staged_ != nullptr ? sys::Move(staged_, bytes_, base_) : sys::MapAt(base_, bytes_);
  if (!Succeeded(result)) return false;
  Advise(base_, bytes_);
  return true;
}

// On fault, so that pages stay shared with the parent until one of both writes.
void Backing::Relock() {
  const bool locked = Succeeded(sys::LockOnFault(base_, bytes_));
  if (locked) Count(ledger.relocks);
  kind_ = locked ? abi::ArenaBacking::kLockedAnonymous : abi::ArenaBacking::kUnlocked;
  locked_bytes_ = locked ? bytes_ : 0;
  if (!locked) growing_step_ = 0;
}

void Backing::AfterUnseenFork() {
  const bool is_secret = kind_ == abi::ArenaBacking::kSecretMemory;
  if (is_secret) sys::ReserveAtHole(base_, bytes_);
  if (is_secret || on_fork_ == abi::OnFork::kExclude) return GiveUp();
  kind_ = abi::ArenaBacking::kUnlocked;
  locked_bytes_ = growing_step_ = 0;
}

void Backing::GiveUp() {
  kind_ = abi::ArenaBacking::kNotInherited;
  locked_bytes_ = growing_step_ = 0;
}

}  // namespace pagewarden
