// SPDX-License-Identifier: Apache-2.0
#include "preload/pin_start.h"

#include "preload/interceptors.h"
#include "preload/pin_modules.h"
#include "preload/pin_data.h"
#include "preload/pin_environment.h"
#include "preload/pin_mappings.h"
#include "preload/pin_stacks.h"
#include "preload/pins.h"
#include "preload/stack_scrub.h"

namespace pagewarden {
namespace {

bool PinsAnything(const abi::PinEntry& pin) {
  return pin.flags != 0 || pin.scrub_bytes != 0 || pin.stack_bytes != 0 ||
         pin.mappings.count != 0 || pin.data.count != 0;
}

}  // namespace

unsigned StartPins(const PolicyImage& image, const abi::PolicyEntry& policy) {
  const abi::PinEntry& pin = policy.pin;
  unsigned intercepts = 0;
  if (!PinsAnything(pin)) return intercepts;
  SetPinMode(policy.mode == abi::Mode::kEnforce ? PinMode::kEnforce : PinMode::kAudit);
  NameExecutable();
  if ((pin.flags & abi::kPinEnvironment) != 0) PinEnvironment();
  if (pin.data.count != 0) {
    StartPinningData({image, pin.data});
    intercepts |= static_cast<unsigned>(Intercepts::kLookup);
  }
  if (pin.mappings.count != 0) {
    StartPinningMappings({image, pin.mappings});
    intercepts |= static_cast<unsigned>(Intercepts::kMappings);
  }
  if (pin.scrub_bytes != 0 && policy.mode == abi::Mode::kEnforce) StartScrubbing(pin.scrub_bytes);
  if (pin.stack_bytes != 0) StartPinningStacks(pin.stack_bytes);
  if (pin.stack_bytes != 0 || pin.scrub_bytes != 0) {
    intercepts |= static_cast<unsigned>(Intercepts::kThreads);
  }
  if (intercepts != 0) intercepts |= static_cast<unsigned>(Intercepts::kSandbox);
  return intercepts;
}

}  // namespace pagewarden
