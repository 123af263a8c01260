// SPDX-License-Identifier: Apache-2.0
// `pin.environment`: the texts of arguments and environment, which the kernel puts
// at the top of the main stack. What a program copies elsewhere (setproctitle, a
// growing environment) is not theirs.
#pragma once

namespace pagewarden {

void PinEnvironment();

}  // namespace pagewarden
