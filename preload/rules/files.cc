// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/files.h"

#include "preload/abi/pattern.h"
#include "preload/base/ledger.h"
#include "preload/base/macros.h"
#include "preload/base/mem.h"
#include "preload/base/sys.h"
#include "preload/fence/fork.h"
#include "preload/rules/rule_set.h"
#include "preload/rules/scopes.h"

namespace pagewarden {
namespace {

constexpr size_t kPathBytes = 4096;  // PATH_MAX

// An entry: how often it was used before, and the descriptor + 1 while it is open.
uint64_t files[kMaxOpenFiles] = {};
uint32_t open_count = 0;

constexpr uint64_t kDescriptorMask = UINT32_MAX;

uint64_t Mark(int fd) { return static_cast<uint32_t>(fd) + uint64_t{1}; }
uint64_t Load(uint32_t i) { return __atomic_load_n(&files[i], __ATOMIC_ACQUIRE); }

bool Replace(uint32_t i, uint64_t old, uint64_t value) {
  return __atomic_compare_exchange_n(&files[i], &old, value, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED);
}

void Close(uint32_t i, uint64_t entry) {
  if (Replace(i, entry, entry & ~kDescriptorMask))
    __atomic_fetch_sub(&open_count, 1, __ATOMIC_RELAXED);
}

// What a record keeps: which entry, and how often it was used.
uint64_t Witness(uint32_t i, uint64_t entry) { return (entry & ~kDescriptorMask) | i; }

bool Enter(int fd, uint64_t* witness) {
  constexpr uint64_t kOneUse = kDescriptorMask + 1;
  for (uint32_t i = 0; i < kMaxOpenFiles; ++i) {
    const uint64_t entry = Load(i);
    const uint64_t used = ((entry & ~kDescriptorMask) + kOneUse) | Mark(fd);
    if ((entry & kDescriptorMask) != 0 || !Replace(i, entry, used)) continue;
    __atomic_fetch_add(&open_count, 1, __ATOMIC_RELAXED);
    *witness = Witness(i, used);
    return true;
  }
  return false;
}

bool EndsWith(const char* text, const char* end) {
  const size_t bytes = Length(text), end_bytes = Length(end);
  return bytes >= end_bytes && MatchesPattern(end, text + bytes - end_bytes);
}

// A `*` may stand for slashes too: only what is behind the last one is certain.
bool MayMatch(const char* pattern, const char* path) {
  const char* last = LastPart(pattern);
  const char* tail = last;
  for (const char* c = last; *c != 0; ++c)
    if (*c == '*') tail = c + 1;
  return tail == last ? MatchesPattern(last, LastPart(path)) : EndsWith(path, tail);
}

template <typename Accepts>
bool AnyPattern(const PolicyImage& image, const abi::RuleEntry& rule, Accepts accepts) {
  if (rule.form != abi::RuleForm::kReadFrom) return false;
  for (uint32_t i = 0; i < rule.operands.count; ++i)
    if (accepts(image.text(image.pattern(rule.operands.first + i)))) return true;
  return false;
}

// The tag of the books of all rules that are for the path. What there is no room for is
// left out.
template <typename Accepts>
uint32_t TagOfPath(Accepts accepts) {
  const RuleSet& set = CurrentRules();
  uint32_t tag = 0;
  for (uint32_t i = set.count != 0 && set.policy != nullptr ? set.policy->rules.count : 0;
       i-- > 0;) {
    if (!IsInForce(set.rules[i])) continue;
    if (!AnyPattern(set.image, set.image.rule(set.policy->rules.first + i), accepts)) continue;
    const uint32_t longer = PrependBook(set.rules[i].tag, tag);
    if (longer != 0) tag = longer;
  }
  return tag;
}

// "/proc/self/fd/N".
void DescriptorLink(int fd, char* out) {
  constexpr char kFolder[] = "/proc/self/fd/";
  memcpy(out, kFolder, sizeof(kFolder) - 1);
  out += sizeof(kFolder) - 1;
  int divisor = 1;
  while (fd / divisor >= 10) divisor *= 10;
  for (; divisor != 0; divisor /= 10) *out++ = static_cast<char>('0' + fd / divisor % 10);
  *out = 0;
}

// Where there is no /proc, the path as it was given has to do.
PW_COLD uint32_t TagOfFile(const char* path, int fd) {
  char link[32];
  char known[kPathBytes];
  DescriptorLink(fd, link);
  const long bytes = sys::ReadLink(link, known, sizeof(known) - 1);
  known[sys::Failed(bytes) ? 0 : bytes] = 0;
  return TagOfPath([&](const char* pattern) {
    return MatchesPattern(pattern, known) || MatchesPattern(pattern, path);
  });
}

}  // namespace

void CountMissedFile() { __atomic_fetch_add(&ledger.files_missed, 1, __ATOMIC_RELAXED); }

bool HasFileRules(const PolicyImage& image, const abi::PolicyEntry& policy) {
  for (uint32_t i = 0; i < policy.rules.count; ++i)
    if (image.rule(policy.rules.first + i).form == abi::RuleForm::kReadFrom) return true;
  return false;
}

bool MayBeSecretFile(const char* path) {
  const RuleSet& set = CurrentRules();
  if (path == nullptr || set.count == 0 || set.policy == nullptr) return false;
  const auto may_match = [path](const char* pattern) { return MayMatch(pattern, path); };
  for (uint32_t i = 0; i < set.policy->rules.count; ++i) {
    const abi::RuleEntry& rule = set.image.rule(set.policy->rules.first + i);
    if (AnyPattern(set.image, rule, may_match)) return true;
  }
  return false;
}

void NoticeOpened(const char* path, int fd) {
  const uint32_t tag = TagOfFile(path, fd);
  if (tag == 0) return;
  uint64_t witness;
  if (!Enter(fd, &witness)) {
    CountMissedFile();
  } else if (!PushFileScope(witness, tag)) {
    NoticeClosing(fd);
    CountMissedFile();
  }
}

// A child of vfork closes a descriptor of its own.
void NoticeClosing(int fd) {
  if (SharesParentsMemory()) return;
  for (uint32_t i = 0; i < kMaxOpenFiles; ++i) {
    const uint64_t entry = Load(i);
    if ((entry & kDescriptorMask) == Mark(fd)) Close(i, entry);
  }
}

bool HasSecretFileOpen() { return __atomic_load_n(&open_count, __ATOMIC_RELAXED) != 0; }

bool IsSecretFileOpen(uint64_t witness) {
  const auto i = static_cast<uint32_t>(witness & kDescriptorMask);
  const uint64_t entry = Load(i);
  return (entry & kDescriptorMask) != 0 && Witness(i, entry) == witness;
}

}  // namespace pagewarden
