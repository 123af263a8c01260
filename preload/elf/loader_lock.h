// SPDX-License-Identifier: Apache-2.0
// The lock that dl_iterate_phdr(3) takes. The program's own threads may hold it for long,
// and glibc does not give it back in a child that was forked meanwhile.
#pragma once

namespace pagewarden {

// False for good in a child of a process that had threads.
bool MayLockLoader();

void BeforeForkOfLoader();
void AfterForkOfLoaderInChild();

}  // namespace pagewarden
