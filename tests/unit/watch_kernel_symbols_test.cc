// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>

#include "agent/watch/kernel_symbols.h"

namespace pagewarden {
namespace {

constexpr char kSymbols[] =
    "ffffffff81000000 T _stext\n"
    "ffffffff81578c50 t perf_mmap\n"
    "ffffffff81579000 t perf_mmap_close\n"
    "ffffffff815fb000 D perf_mmap\n"
    "ffffffff81600000 t expand_downwards.isra.0\n"
    "not a line\n"
    "ffffffff81600100\n"
    "ffffffffc0001000 t ib_umem_get\t[ib_uverbs]\n";

KernelSymbols Parse(const char* text) {
  std::istringstream lines(text);
  return KernelSymbols::Parse(lines, {"perf_mmap", "expand_downwards", "ib_umem_get"});
}

TEST(KernelSymbols, FindsTheFunctionOfAnAddress) {
  const KernelSymbols symbols = Parse(kSymbols);
  EXPECT_EQ(symbols.NameOf(0xffffffff81578c50), "perf_mmap");
  EXPECT_EQ(symbols.NameOf(0xffffffff81578fff), "perf_mmap");
  EXPECT_EQ(symbols.NameOf(0xffffffff81579000), "");  // the next function
  EXPECT_EQ(symbols.NameOf(0xffffffff81578c4f), "");
}

TEST(KernelSymbols, TakesSplitPartsAndModules) {
  const KernelSymbols symbols = Parse(kSymbols);
  EXPECT_EQ(symbols.NameOf(0xffffffff81600010), "expand_downwards");
  EXPECT_EQ(symbols.NameOf(0xffffffffc0001010), "ib_umem_get");
}

TEST(KernelSymbols, KnowsNothingOfDataAndOfEmptyText) {
  EXPECT_EQ(Parse(kSymbols).NameOf(0xffffffff815fb000), "");
  EXPECT_EQ(Parse("").NameOf(0xffffffff81578c50), "");
  EXPECT_EQ(KernelSymbols().NameOf(0), "");
}

}  // namespace
}  // namespace pagewarden
