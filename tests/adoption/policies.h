// SPDX-License-Identifier: Apache-2.0
// A live image with many different policies in it, to put one after the other in force.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "preload/abi/live_image.h"

namespace pagewarden {

// A rule is for files whose names end so.
inline constexpr char kSecretSuffix[] = ".hammered-secret";

// In the first, the extents of live_second are fenced. In the last, those of live_first, what
// live_caller asks for and what is asked for beside the secret file, and nothing else.
std::vector<std::string> MakeImages(unsigned seed, int count);

// A file with all of them, the first in force.
struct LiveFile {
  std::string path;
  std::vector<uint32_t> places;  // of the images, as abi::LiveWord takes them
};
LiveFile WriteLiveFile(const std::string& path, const std::vector<std::string>& images);

// Puts one of them in force after the other, as publishers do: in a mapping of its own.
class FlippingPublisher {
 public:
  explicit FlippingPublisher(const LiveFile& file);
  // Returns its generation.
  uint32_t Publish(size_t image);

 private:
  const LiveFile& file_;
  abi::LiveImageHeader* header_;
  uint32_t generation_ = 1000;
};

// Both for callers that cannot have fcntl.h beside the shim's own declarations.
void WriteEmptyFile(const std::string& path);
int OpenForReading(const std::string& path);

}  // namespace pagewarden
