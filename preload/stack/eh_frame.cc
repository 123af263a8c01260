// SPDX-License-Identifier: Apache-2.0
#include "preload/stack/eh_frame.h"

namespace pagewarden {
namespace {

constexpr uint8_t kOmitted = 0xff;  // in place of an encoding
constexpr uint64_t kReturnAddress = 16;

bool ReadAugmentation(const char* letters, DwarfReader data, Cie* out) {
  for (; *letters != 0; ++letters) {
    switch (*letters) {
      case 'R': out->encoding = data.Read<uint8_t>(); break;
      case 'L': data.Skip(1); break;
      case 'P': {
        const auto encoding = data.Read<uint8_t>();
        data.Pointer(encoding & ~kIndirect, nullptr);
        break;
      }
      case 'S': out->is_followable = false; break;
      default: return false;
    }
  }
  return data.ok();
}

// `entry`: what follows the length and the id, which is zero.
bool ReadCie(DwarfReader entry, Cie* out) {
  const auto version = entry.Read<uint8_t>();
  if (version != 1 && version != 3) return false;
  const auto* letters = reinterpret_cast<const char*>(entry.at());
  while (entry.Read<uint8_t>() != 0) {
  }
  if (!entry.ok()) return false;
  out->code_alignment = entry.Uleb();
  out->data_alignment = entry.Sleb();
  const uint64_t return_column = version == 1 ? entry.Read<uint8_t>() : entry.Uleb();
  if (return_column != kReturnAddress) return false;
  out->has_augmentation = *letters == 'z';
  if (out->has_augmentation) {
    const uint64_t bytes = entry.Uleb();
    if (!ReadAugmentation(letters + 1, entry.Take(bytes), out)) return false;
  } else if (*letters != 0) {
    return false;
  }
  out->instructions = entry;
  return entry.ok();
}

// The entry at `at`, its length read. Empty at the end of the section, and for the
// 64-bit format, which no compiler writes.
DwarfReader Entry(const uint8_t* at, Bytes segment) {
  DwarfReader reader(at, segment.end);
  const auto length = reader.Read<uint32_t>();
  return length == 0xffffffff ? DwarfReader(at, at) : reader.Take(length);
}

bool ReadFde(const uint8_t* at, Bytes segment, const uint8_t* data, Fde* out) {
  if (!IsIn(segment, at)) return false;
  DwarfReader entry = Entry(at, segment);
  const uint8_t* id_at = entry.at();
  const auto id = entry.Read<uint32_t>();
  if (!entry.ok() || id == 0) return false;  // id 0: a CIE
  if (id > static_cast<uint64_t>(id_at - segment.begin)) return false;
  DwarfReader cie = Entry(id_at - id, segment);
  if (cie.Read<uint32_t>() != 0 || !cie.ok() || !ReadCie(cie, &out->cie)) return false;
  if ((out->cie.encoding & kIndirect) != 0) return false;
  out->begin = entry.Pointer(out->cie.encoding, data);
  out->bytes = entry.Pointer(out->cie.encoding & kFormat, nullptr);
  if (out->cie.has_augmentation) entry.Skip(entry.Uleb());
  out->instructions = entry;
  return entry.ok();
}

struct TableEntry {
  int32_t pc;
  int32_t fde;
};

// The last entry that begins at or before `pc`, by the sorted table behind the header.
const uint8_t* SearchTable(DwarfReader reader, uint64_t count, const uint8_t* data, uint64_t pc) {
  if (count == 0 || count > reader.left() / sizeof(TableEntry)) return nullptr;
  const uint8_t* table = reader.at();
  const auto entry = [table](uint64_t i) {
    TableEntry e;
    __builtin_memcpy(&e, table + i * sizeof(e), sizeof(e));
    return e;
  };
  const auto offset = static_cast<int64_t>(pc - reinterpret_cast<uint64_t>(data));
  uint64_t low = 0, high = count;
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    (entry(middle).pc <= offset ? low : high) = middle;
  }
  return entry(low).pc <= offset ? data + entry(low).fde : nullptr;
}

bool Covers(const Fde& fde, uint64_t pc) { return pc - fde.begin < fde.bytes; }

// All of .eh_frame, where no table is.
bool Scan(const uint8_t* at, Bytes segment, const uint8_t* data, uint64_t pc, Fde* out) {
  while (IsIn(segment, at)) {
    const DwarfReader entry = Entry(at, segment);
    if (!entry.ok() || entry.left() == 0) return false;
    *out = {};
    if (ReadFde(at, segment, data, out) && Covers(*out, pc)) return true;
    at = entry.at() + entry.left();
  }
  return false;
}

}  // namespace

bool FindFde(Bytes header, Bytes segment, uint64_t pc, Fde* out) {
  constexpr uint8_t kVersion = 1;
  DwarfReader reader(header.begin, header.end);
  const auto version = reader.Read<uint8_t>();
  const auto frames_encoding = reader.Read<uint8_t>();
  const auto count_encoding = reader.Read<uint8_t>();
  const auto table_encoding = reader.Read<uint8_t>();
  if (version != kVersion || frames_encoding == kOmitted) return false;
  const uint64_t frames = reader.Pointer(frames_encoding, header.begin);
  const bool has_table =
      count_encoding != kOmitted && table_encoding == (kDataRelative | kSigned4);
  if (!has_table)
    return reader.ok() &&
           Scan(reinterpret_cast<const uint8_t*>(frames), segment, header.begin, pc, out);
  const uint64_t count = reader.Pointer(count_encoding, header.begin);
  if (!reader.ok()) return false;
  const uint8_t* fde = SearchTable(reader, count, header.begin, pc);
  return fde != nullptr && ReadFde(fde, segment, header.begin, out) && Covers(*out, pc);
}

}  // namespace pagewarden
