// SPDX-License-Identifier: Apache-2.0
// Zeroing idioms: renamed away, no execution port, no AVX-512 frequency change.
#include <cet.h>

        .text
        .globl  pw_wipe_vector_registers
        .hidden pw_wipe_vector_registers
        .type   pw_wipe_vector_registers, @function
pw_wipe_vector_registers:
        _CET_ENDBR
        movl    pw_vector_level(%rip), %eax
        testl   %eax, %eax
        jz      .Lsse
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vpxor   %xmm\n, %xmm\n, %xmm\n
        .endr
        cmpl    $2, %eax
        jne     .Ldone
        .irp    n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        vpxorq  %xmm\n, %xmm\n, %xmm\n
        .endr
.Ldone:
        ret
.Lsse:
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        pxor    %xmm\n, %xmm\n
        .endr
        ret
        .size   pw_wipe_vector_registers, . - pw_wipe_vector_registers

        .section .note.GNU-stack, "", @progbits
