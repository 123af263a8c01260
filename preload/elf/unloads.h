// SPDX-License-Identifier: Apache-2.0
// Libraries that go. What is known by addresses in them must be forgotten before others
// take their place.
//
// Nothing is asked when one goes: its own destructors would only make it known again.
// Before every dlopen is soon enough, since whatever comes by it is not there yet. No
// allocation asks, since to ask takes the loader's lock.
#pragma once

namespace pagewarden {

// Forgets if modules were unloaded since the last time, or where that cannot be asked.
void NoticeUnloads();

}  // namespace pagewarden
