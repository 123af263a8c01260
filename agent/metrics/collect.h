// SPDX-License-Identifier: Apache-2.0
// What goes into a scrape beside the cgroups' own series.
#pragma once

#include "agent/daemon/host_view.h"
#include "agent/metrics/samples.h"

namespace pagewarden {

// Of the processes under the shim now; counters of those that were.
void AddShims(const HostView& view, Samples& samples);
void AddShimBooks(const HostView& view, Samples& samples);
void AddPending(const CoverageReport& coverage, Samples& samples);

void AddPolicies(const PolicyStatus& policies, Samples& samples);
void AddSecretChecks(const SecretReport& secrets, Samples& samples);

// What the agent sees with, what it lost, and its version.
void AddHealth(const AgentHealth& health, Samples& samples);
void AddBuild(Samples& samples);
// What it costs, as all exporters tell it: process_…; from /proc/self.
void AddOwnProcess(Samples& samples);

}  // namespace pagewarden
