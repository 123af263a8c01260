// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/start.h"

#include "preload/pins/data.h"
#include "preload/pins/environment.h"
#include "preload/pins/mappings.h"
#include "preload/pins/pins.h"
#include "preload/pins/process.h"
#include "preload/pins/stack_bounds.h"
#include "preload/pins/stacks.h"
#include "preload/rules/interceptors.h"
#include "preload/stack/stack_scrub.h"

namespace pagewarden {
namespace {

bool PinsAnything(const abi::PinEntry& pin) {
  return pin.flags != 0 || pin.scrub_bytes != 0 || pin.stack_bytes != 0 ||
         pin.mappings.count != 0 || pin.data.count != 0;
}

unsigned operator|(unsigned groups, Intercepts group) {
  return groups | static_cast<unsigned>(group);
}

// In the order of what is worth most under a limit.
unsigned PinNamed(const PolicyImage& image, const abi::PinEntry& pin) {
  unsigned intercepts = 0;
  if ((pin.flags & abi::kPinEnvironment) != 0) {
    PinEnvironment();
    intercepts = intercepts | Intercepts::kStackBounds;
  }
  if (pin.data.count != 0) {
    StartPinningData({image, pin.data});
    intercepts = intercepts | Intercepts::kLookup;
  }
  if (pin.mappings.count != 0) {
    StartPinningMappings({image, pin.mappings});
    intercepts = intercepts | Intercepts::kMappings;
  }
  if (pin.stack_bytes != 0) {
    StartPinningStacks(pin.stack_bytes);
    intercepts = intercepts | Intercepts::kStackBounds;
  }
  if (pin.stack_bytes != 0 || pin.scrub_bytes != 0) intercepts = intercepts | Intercepts::kThreads;
  if (pin.scrub_bytes != 0) intercepts = intercepts | Intercepts::kStackSwitches;
  return intercepts;
}

unsigned PinProcess(const abi::PinEntry& pin) {
  PinEnvironment();
  if (pin.stack_bytes == 0) StartPinningStacks(kStackBytesOfProcess);
  StartPinningAllMappings();
  StartPinningProcess();
  return 0u | Intercepts::kLookup | Intercepts::kMappings | Intercepts::kThreads |
         Intercepts::kPrivileges | Intercepts::kStackBounds;
}

}  // namespace

unsigned StartPins(const PolicyImage& image, const abi::PolicyEntry& policy) {
  const abi::PinEntry& pin = policy.pin;
  if (!PinsAnything(pin)) return 0;
  const bool enforces = policy.mode == abi::Mode::kEnforce;
  SetPinMode(enforces ? PinMode::kEnforce : PinMode::kAudit);
  NameExecutable();
  StartCorrectingStackBounds();
  if (enforces && pin.scrub_bytes != 0) StartScrubbing(pin.scrub_bytes);
  unsigned intercepts = PinNamed(image, pin);
  if ((pin.flags & abi::kPinProcess) != 0) intercepts |= PinProcess(pin);
  return intercepts != 0 ? intercepts | Intercepts::kSandbox : 0;
}

}  // namespace pagewarden
