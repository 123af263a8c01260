// SPDX-License-Identifier: Apache-2.0
// What the kernel and libbpf refuse, in one line for the operator.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// `error` is a positive errno. PermissionDenied: needs CAP_BPF and CAP_PERFMON; the
// message says so, or that the kernel has no BTF.
absl::Status BpfError(int error, absl::string_view what);

// libbpf writes pages of verifier log to stderr; the errno says enough. Call it
// before anything is loaded; more often does no harm.
void SilenceLibbpf();

}  // namespace pagewarden
