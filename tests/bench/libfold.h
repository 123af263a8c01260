/* SPDX-License-Identifier: Apache-2.0 */
/* malloc behind so many frames of this library, which a policy calls transparent. */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void* fold_1(size_t bytes);
void* fold_4(size_t bytes);
void* fold_8(size_t bytes);

#ifdef __cplusplus
}
#endif
