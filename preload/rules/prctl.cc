// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/prctl.h"

#include <asm/unistd.h>
#include <linux/prctl.h>

#include "preload/pins/sandbox.h"
#include "preload/rules/thread_names.h"

extern "C" {
int (*real_prctl)(int option, long a, long b, long c, long d) = nullptr;
}

namespace pagewarden {

extern "C" int intercepted_prctl(int option, long a, long b, long c, long d) {
  SandboxCall call(__NR_prctl, option);
  const int result = real_prctl(option, a, b, c, d);
  call.Returned(result);
  if (option == PR_SET_NAME) NoticeRenamed();
  return result;
}

}  // namespace pagewarden
