// SPDX-License-Identifier: Apache-2.0
// From addresses of code to modules of the recording.
#pragma once

#include "recorder/recording.h"

namespace pagewarden::recorder {

// False: no module holds `address`, or the table is full.
bool LocateCode(const void* address, recording::Frame* frame);

// True for code of Pagewarden's own libraries.
bool IsOwnCode(const void* address);

}  // namespace pagewarden::recorder
