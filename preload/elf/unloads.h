// SPDX-License-Identifier: Apache-2.0
// Libraries that go. What is known by addresses in them must be forgotten before others
// take their place.
//
// Nothing is asked when one goes: its own destructors would only make it known again.
// Before every dlopen is soon enough, since whatever comes by it is not there yet, and
// at every call site that is not known: what the C library loads for itself (character
// sets, name services) does not come by dlopen.
#pragma once

namespace pagewarden {

// Forgets if modules were unloaded since the last time.
void NoticeUnloads();

}  // namespace pagewarden
