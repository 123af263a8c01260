// SPDX-License-Identifier: Apache-2.0
// Bounds-checked access to a policy image: every look-up that would leave the
// image fails instead.
#pragma once

#include <cstring>
#include <optional>

#include "absl/strings/string_view.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

class ImageView {
 public:
  // `image` must outlive the view and be at least a header long.
  explicit ImageView(absl::string_view image) : image_(image) {
    memcpy(&header_, image.data(), sizeof(header_));
  }

  const abi::PolicyImageHeader& header() const { return header_; }

  template <typename Record>
  bool Contains(const abi::Table& table) const {
    const uint64_t bytes = uint64_t{table.count} * sizeof(Record);
    return table.offset % 8 == 0 && table.offset >= sizeof(header_) &&
           table.offset <= image_.size() && bytes <= image_.size() - table.offset;
  }

  // Entry `index` of a table that Contains() accepts; nullopt past its end.
  template <typename Record>
  std::optional<Record> At(const abi::Table& table, uint64_t index) const {
    if (index >= table.count) return std::nullopt;
    Record record;
    memcpy(&record, image_.data() + table.offset + index * sizeof(Record), sizeof(Record));
    return record;
  }

  // nullopt: outside the pool, not terminated, or with a NUL inside.
  std::optional<absl::string_view> At(const abi::Text& text) const {
    const abi::Table& pool = header_.pool;
    if (text.offset >= pool.count || text.bytes >= pool.count - text.offset) return std::nullopt;
    const absl::string_view with_nul = image_.substr(pool.offset + text.offset, text.bytes + 1);
    if (with_nul.find('\0') != text.bytes) return std::nullopt;
    return with_nul.substr(0, text.bytes);
  }

 private:
  absl::string_view image_;
  abi::PolicyImageHeader header_;
};

inline bool Within(const abi::Range& range, const abi::Table& table) {
  return range.first <= table.count && range.count <= table.count - range.first;
}

}  // namespace pagewarden
