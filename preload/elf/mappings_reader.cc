// SPDX-License-Identifier: Apache-2.0
#include "preload/elf/mappings_reader.h"

#include "preload/base/sys.h"

namespace pagewarden {
namespace {

int HexDigit(int c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

MappingsReader::MappingsReader() : file_(sys::Open("/proc/self/maps")) {}

MappingsReader::~MappingsReader() {
  if (!sys::Failed(file_)) sys::Close(file_);
}

int MappingsReader::Get() {
  if (at_ == used_) {
    const long got = sys::Read(file_, buffer_, sizeof(buffer_));
    if (got <= 0) return -1;
    used_ = static_cast<size_t>(got);
    at_ = 0;
  }
  return static_cast<unsigned char>(buffer_[at_++]);
}

// Up to the character behind it, which is taken too.
uint64_t MappingsReader::ReadHex() {
  uint64_t value = 0;
  for (int digit = HexDigit(Get()); digit >= 0; digit = HexDigit(Get()))
    value = value * 16 + static_cast<uint64_t>(digit);
  return value;
}

void MappingsReader::DropLine() {
  for (int c = Get(); c != '\n' && c >= 0;) c = Get();
}

// "begin-end rwxp offset device inode name"
bool MappingsReader::Next(Mapping* out) {
  if (sys::Failed(file_)) return false;
  out->begin = ReadHex();
  out->end = ReadHex();
  Get();
  out->writable = Get() == 'w';
  Get();
  out->shared = Get() == 's';
  DropLine();
  return out->end != 0;
}

}  // namespace pagewarden
