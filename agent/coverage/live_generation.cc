// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/live_generation.h"

#include <cstring>

#include "absl/strings/match.h"
#include "agent/proc/mappings.h"
#include "agent/proc/memory.h"
#include "preload/abi/live_image.h"

namespace pagewarden {
namespace {

std::optional<abi::LiveImageHeader> ReadHeader(pid_t pid, uint64_t address) {
  const absl::StatusOr<ProcessMemory> memory = ProcessMemory::Open(pid);
  abi::LiveImageHeader header;
  if (!memory.ok() || memory->Read(address, &header, sizeof(header)) != sizeof(header) ||
      memcmp(header.magic, abi::kLiveMagic, sizeof(header.magic)) != 0) {
    return std::nullopt;
  }
  return header;
}

}  // namespace

std::optional<uint64_t> FindLiveImage(pid_t pid) {
  const auto mappings = ReadMappingsWithoutFlags(pid);
  if (!mappings.ok()) return std::nullopt;
  for (const Mapping& mapping : *mappings) {
    if (mapping.file_offset != 0 || mapping.writable || !mapping.shared) continue;
    if (!absl::StrContains(mapping.name, ".image")) continue;
    if (ReadHeader(pid, mapping.start)) return mapping.start;
  }
  return std::nullopt;
}

uint32_t ReadGeneration(pid_t pid, uint64_t address) {
  const std::optional<abi::LiveImageHeader> header = ReadHeader(pid, address);
  if (!header) return 0;
  if (abi::PlaceOf(header->current) == abi::kLiveClosed) return kNoMoreGenerations;
  return abi::GenerationOf(header->current);
}

}  // namespace pagewarden
