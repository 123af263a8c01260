// SPDX-License-Identifier: Apache-2.0
// Which hook answers which question, and what it costs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pagewarden {

struct HookReport {
  std::string question;  // "snapshot", "denials", "peaks", …: stable words
  std::string hook;      // "tp_btf/cap_capable"; empty: none could be attached
  // Those tried before it and refused, best first: "fexit/cap_capable: Operation not permitted".
  std::vector<std::string> refused;
  uint64_t runs = 0;         // times that our program ran (bpf_prog_info.run_cnt)
  uint64_t run_time_ns = 0;  // bpf_prog_info.run_time_ns; 0 where statistics are off
  uint64_t lost = 0;         // events that found the ring buffer full
};

}  // namespace pagewarden
