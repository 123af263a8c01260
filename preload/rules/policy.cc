// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/policy.h"

#include <asm/stat.h>

#include "preload/abi/checksum.h"
#include "preload/abi/live_image.h"
#include "preload/base/mem.h"
#include "preload/base/sys.h"

namespace pagewarden {
namespace {

using abi::Uncovered;

constexpr uint32_t kRegularFile = 0100000, kTypeMask = 0170000, kOthersMayWrite = 0022;
constexpr uint64_t kPageBytes = 4096;

bool IsTrusted(const struct stat& file) {
  return (file.st_mode & kTypeMask) == kRegularFile && (file.st_mode & kOthersMayWrite) == 0 &&
         (file.st_uid == 0 || file.st_uid == sys::EffectiveUid());
}

bool Within(abi::Range range, abi::Table table) {
  return range.first <= table.count && range.count <= table.count - range.first;
}

}  // namespace

bool PolicyImage::FromWindow(const LiveWindow& window, uint64_t word, PolicyImage* out) {
  const uint64_t offset = uint64_t{abi::PlaceOf(word)} * abi::kLiveUnit;
  if (offset < sizeof(abi::LiveImageHeader) || offset > window.bytes ||
      window.bytes - offset < sizeof(abi::PolicyImageHeader))
    return false;
  out->bytes_ = window.base + offset;
  const uint64_t bytes = out->header().image_bytes;
  return bytes >= sizeof(abi::PolicyImageHeader) && bytes <= window.bytes - offset &&
         out->IsValid(bytes);
}

namespace {

const abi::LiveImageHeader& HeaderOf(const LiveWindow& window) {
  return *reinterpret_cast<const abi::LiveImageHeader*>(window.base);
}

bool IsLive(const LiveWindow& window) {
  const abi::LiveImageHeader& header = HeaderOf(window);
  return window.bytes >= sizeof(header) &&
         EqualBytes(header.magic, abi::kLiveMagic, sizeof(abi::kLiveMagic)) &&
         header.version == abi::kLiveImageVersion && header.window_bytes == window.bytes;
}

}  // namespace

Uncovered PolicyImage::Map(const char* path, PolicyImage* out, LiveWindow* window) {
  const long fd = sys::Open(path);
  if (sys::Failed(fd)) return Uncovered::kNoImage;
  struct stat file;
  Uncovered verdict = Uncovered::kImageUntrusted;
  if (!sys::Failed(sys::FStat(fd, &file)) && IsTrusted(file)) {
    verdict = Uncovered::kImageInvalid;
    const uint64_t bytes = file.st_size;
    if (bytes >= sizeof(abi::PolicyImageHeader) && bytes <= abi::kMaxLiveBytes) {
      const long at = sys::MapFile(fd, bytes);
      if (!sys::Failed(at)) {
        out->bytes_ = reinterpret_cast<const unsigned char*>(at);
        const LiveWindow live = {out->bytes_, bytes, 0};
        if (bytes <= abi::kMaxPolicyImageBytes && out->IsValid(bytes)) verdict = Uncovered::kNone;
        if (verdict != Uncovered::kNone && IsLive(live)) {
          *window = live;
          window->word = __atomic_load_n(&HeaderOf(live).current, __ATOMIC_ACQUIRE);
          if (FromWindow(live, window->word, out)) verdict = Uncovered::kNone;
        }
      }
    }
  }
  sys::Close(fd);
  return verdict;
}

bool PolicyImage::IsValid(uint64_t file_bytes) const {
  if (!EqualBytes(header().magic, abi::kPolicyMagic, sizeof(abi::kPolicyMagic)) ||
      header().version != abi::kPolicyImageVersion || header().image_bytes != file_bytes)
    return false;
  if (abi::Checksum(bytes_ + abi::kChecksumStart, file_bytes - abi::kChecksumStart) !=
      header().checksum)
    return false;
  if (!TablesFit()) return false;
  for (uint32_t i = 0; i < header().policies.count; ++i)
    if (!PolicyIsValid(policy(i))) return false;
  return true;
}

bool PolicyImage::TablesFit() const {
  const struct {
    abi::Table table;
    uint64_t record_bytes;
  } tables[] = {
      {header().policies, sizeof(abi::PolicyEntry)},
      {header().selectors, sizeof(abi::SelectorEntry)},
      {header().binaries, sizeof(abi::Text)},
      {header().arenas, sizeof(abi::ArenaEntry)},
      {header().rules, sizeof(abi::RuleEntry)},
      {header().rule_slots, sizeof(uint32_t)},
      {header().functions, sizeof(abi::Text)},
      {header().patterns, sizeof(abi::Text)},
      {header().callers, sizeof(abi::CallerEntry)},
      {header().signatures, sizeof(abi::SignatureEntry)},
      {header().build_ids, sizeof(abi::BuildId)},
      {header().pool, 1},
  };
  for (const auto& t : tables) {
    if (t.table.offset % 8 != 0 || t.table.offset > header().image_bytes) return false;
    if (t.table.count > (header().image_bytes - t.table.offset) / t.record_bytes) return false;
  }
  return RecordsAreValid();
}

bool PolicyImage::RecordsAreValid() const {
  for (uint32_t i = 0; i < header().selectors.count; ++i)
    if (!SelectorIsValid(selector(i))) return false;
  for (uint32_t i = 0; i < header().binaries.count; ++i)
    if (!TextFits(binary(i))) return false;
  for (uint32_t i = 0; i < header().functions.count; ++i)
    if (!TextFits(At<abi::Text>(header().functions)[i])) return false;
  for (uint32_t i = 0; i < header().patterns.count; ++i)
    if (!TextFits(pattern(i))) return false;
  for (uint32_t i = 0; i < header().callers.count; ++i)
    if (!TextFits(caller(i).module) || !TextFits(caller(i).function)) return false;
  for (uint32_t i = 0; i < header().build_ids.count; ++i)
    if (build_id(i).size == 0 || build_id(i).size > abi::kMaxBuildIdBytes) return false;
  for (uint32_t i = 0; i < header().signatures.count; ++i)
    if (!SignatureIsValid(signature(i))) return false;
  return true;
}

bool PolicyImage::SignatureIsValid(const abi::SignatureEntry& signature) const {
  if (signature.depth == 0 || signature.depth > abi::kMaxSignatureDepth) return false;
  for (uint32_t i = 0; i < signature.depth; ++i)
    if (signature.frames[i].module >= header().build_ids.count) return false;
  return true;
}

bool PolicyImage::TextFits(abi::Text t) const {
  const abi::Table pool = header().pool;
  return t.offset < pool.count && t.bytes < pool.count - t.offset &&
         At<char>(pool)[t.offset + t.bytes] == 0;
}

bool PolicyImage::SelectorIsValid(const abi::SelectorEntry& selector) const {
  return Within(selector.binaries, header().binaries) &&
         Within(selector.units, header().patterns) && Within(selector.slices, header().patterns) &&
         Within(selector.cgroups, header().patterns);
}

bool PolicyImage::PolicyIsValid(const abi::PolicyEntry& policy) const {
  if (!TextFits(policy.name) || policy.mode > abi::Mode::kEnforce ||
      !SelectorIsValid(policy.selector) || !Within(policy.exceptions, header().selectors) ||
      !Within(policy.arenas, header().arenas) || !Within(policy.rules, header().rules) ||
      !Within(policy.transparent, header().callers) || !PinIsValid(policy.pin) ||
      policy.arenas.count == 0 || policy.arenas.count > abi::kMaxArenasPerPolicy ||
      policy.rules.count > abi::kMaxRulesPerPolicy)
    return false;
  for (uint32_t i = 0; i < policy.arenas.count; ++i)
    if (!ArenaIsValid(arena(policy.arenas.first + i))) return false;
  for (uint32_t i = 0; i < policy.rules.count; ++i)
    if (!RuleIsValid(rule(policy.rules.first + i), policy.arenas)) return false;
  return true;
}

bool PolicyImage::ArenaIsValid(const abi::ArenaEntry& arena) const {
  constexpr uint64_t kLargest = 1ull << 30;
  return TextFits(arena.name) && arena.capacity_bytes >= kPageBytes &&
         arena.capacity_bytes <= kLargest && arena.capacity_bytes % kPageBytes == 0 &&
         arena.on_fork <= abi::OnFork::kExclude &&
         arena.on_lock_failure <= abi::OnLockFailure::kFail &&
         arena.on_capacity_exhausted <= abi::OnCapacityExhausted::kGrow &&
         arena.backing[0] <= abi::Backing::kSecretMemory &&
         arena.backing[1] <= abi::Backing::kSecretMemory;
}

bool PolicyImage::PinIsValid(const abi::PinEntry& pin) const {
  return Within(pin.mappings, header().patterns) && Within(pin.data, header().patterns);
}

bool PolicyImage::RuleIsValid(const abi::RuleEntry& rule, abi::Range arenas) const {
  return TextFits(rule.name) && rule.arena >= arenas.first &&
         rule.arena < arenas.first + arenas.count && Within(rule.threads, header().patterns) &&
         OperandsAreValid(rule);
}

bool PolicyImage::OperandsAreValid(const abi::RuleEntry& rule) const {
  switch (rule.form) {
    case abi::RuleForm::kAll:
      return rule.operands.count == 0;
    case abi::RuleForm::kCallers:
      return Within(rule.operands, header().callers);
    case abi::RuleForm::kStack:
      return Within(rule.operands, header().signatures);
    case abi::RuleForm::kReadFrom:
      return Within(rule.operands, header().patterns);
    case abi::RuleForm::kDuring:
      break;
    default:
      return false;
  }
  if (!Within(rule.operands, header().rule_slots)) return false;
  for (uint32_t i = 0; i < rule.operands.count; ++i)
    if (rule_slot(rule.operands.first + i) >= header().functions.count) return false;
  return true;
}

}  // namespace pagewarden
