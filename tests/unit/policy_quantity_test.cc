// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/policy/quantity.h"

namespace pagewarden {
namespace {

TEST(ParseQuantity, ReadsBytesAndBinaryUnits) {
  EXPECT_EQ(*ParseQuantity("0"), 0u);
  EXPECT_EQ(*ParseQuantity("4096"), 4096u);
  EXPECT_EQ(*ParseQuantity("64Ki"), 65536u);
  EXPECT_EQ(*ParseQuantity("8Mi"), 8388608u);
  EXPECT_EQ(*ParseQuantity("1Gi"), 1073741824u);
  EXPECT_EQ(*ParseQuantity("18446744073709551615"), UINT64_MAX);
}

TEST(ParseQuantity, SaysWhatToWriteInsteadOfAnAmbiguousUnit) {
  EXPECT_EQ(ParseQuantity("8M").status().message(),
            "bad quantity \"8M\": write 8Mi (8388608) or 8000000");
  EXPECT_EQ(ParseQuantity("3GB").status().message(),
            "bad quantity \"3GB\": write 3Gi (3221225472) or 3000000000");
  EXPECT_EQ(ParseQuantity("64ki").status().message(),
            "bad quantity \"64ki\": write 64Ki (65536) or 64000");
}

TEST(ParseQuantity, RefusesEverythingElse) {
  for (const char* text : {"", "Ki", "-1", "+1", "1.5Mi", "1e6", "010", "00", "0x10", " 1", "1 Mi",
                           "1Mi ", "1Ti", "18446744073709551616", "17179869184Gi", "1\n"}) {
    EXPECT_FALSE(ParseQuantity(text).ok()) << text;
  }
}

TEST(FormatQuantity, IsTheInverse) {
  EXPECT_EQ(FormatQuantity(1 << 20), "1Mi");
  EXPECT_EQ(FormatQuantity(3u << 30), "3Gi");
  for (uint64_t bytes : {uint64_t{0}, uint64_t{1}, uint64_t{1000}, uint64_t{65536}, UINT64_MAX}) {
    EXPECT_EQ(*ParseQuantity(FormatQuantity(bytes)), bytes);
  }
}

}  // namespace
}  // namespace pagewarden
