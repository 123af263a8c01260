// SPDX-License-Identifier: Apache-2.0
// The kernel memory of one arena: what is accessible of its reservation, how it
// is locked, and what a fork child gets of it.
//
// Memory system calls are made at start and around fork. Growth is the exception
// that the policy may ask for: mmap(2) with MAP_LOCKED, which sandboxes allow
// where they kill for mlock(2).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

class Backing {
 public:
  Backing() = default;

  // Opens [base, base + capacity) of a reservation that is PROT_NONE so far. Less
  // is accessible where the limit allows to lock less; all of it, unlocked, where
  // nothing can be locked. `held_bytes`: what this process has locked before.
  static Backing Open(unsigned char* base, uint64_t reserved_bytes, const abi::ArenaEntry& policy,
                      uint64_t held_bytes);

  // The same when the program has started: locks the first pages of it, and grows to the rest.
  // False: the kernel refuses, or what is wanted first is to be had at start only.
  static bool OpenLater(unsigned char* base, uint64_t reserved_bytes, const abi::ArenaEntry& policy,
                        Backing* out);

  // Adds locked memory behind the accessible part, at least `least` bytes. Returns
  // how much; 0 where there is no room, or where the kernel has refused as much before.
  uint64_t Grow(uint64_t least);

  // Another policy: how far it may grow from now on. False: some of it needs a restart.
  bool Adopt(const abi::ArenaEntry& policy);
  bool may_grow() const { return growing_step_ != 0; }

  // fork(2). Secret memory is a shared mapping, which must not be written by two
  // processes: the child gets a copy that is made before.
  void BeforeFork();
  void AfterForkInParent();
  // True: the child's memory is a copy, made in BeforeFork.
  bool AfterForkInChild();

  // A child that no handler saw: its memory is not locked, and nothing here may
  // be done about it, since it may be in a sandbox by now.
  void AfterUnseenFork();

  unsigned char* base() const { return base_; }
  uint64_t reserved_bytes() const { return reserved_bytes_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t locked_bytes() const { return locked_bytes_; }
  abi::ArenaBacking kind() const { return kind_; }

 private:
  Backing(unsigned char* base, uint64_t reserved_bytes, const abi::ArenaEntry& policy);

  bool OpenSecret();
  bool OpenLocked(uint64_t held_bytes);
  void OpenUnlocked();
  long MapLockedAt(const unsigned char* at, uint64_t bytes) const;
  void Advise(const unsigned char* at, uint64_t bytes) const;
  void Relock();
  void GiveUp();
  bool TakeOverSecret();

  unsigned char* base_ = nullptr;
  uint64_t reserved_bytes_ = 0;
  uint64_t capacity_bytes_ = 0;  // by the policy
  uint64_t most_bytes_ = 0;      // that it may grow to
  uint64_t bytes_ = 0;           // accessible
  uint64_t locked_bytes_ = 0;
  uint64_t growing_step_ = 0;            // 0: may not grow
  uint64_t refused_bytes_ = UINT64_MAX;  // not one system call more for every full request
  unsigned char* staged_ = nullptr;      // around fork: the child's copy
  abi::ArenaBacking kind_ = abi::ArenaBacking::kUnlocked;
  abi::OnFork on_fork_ = abi::OnFork::kRelock;
  bool exclude_from_core_dump_ = true;
  abi::Backing wanted_[abi::kMaxBackings] = {};
};

// How much address space an arena of this policy needs: its capacity, or all
// that it could ever lock.
uint64_t ReservationBytes(const abi::ArenaEntry& policy);

}  // namespace pagewarden
