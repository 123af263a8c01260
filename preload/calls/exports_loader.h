// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pagewarden {

// From now on plugins see the shim's free, whatever they are opened with: a
// deeply bound one would hand fenced blocks to libc's. Before the tables are
// sealed, and only with a fence.
void ClearDeepBind();

}  // namespace pagewarden
