// SPDX-License-Identifier: Apache-2.0
// First calls. Each next_… pointer starts at a stub here, which asks
// pw_resolve for the target and jumps there with the caller's arguments and
// return address. Resolving uses general registers only, and none of
// those takes vector arguments.
#include <cet.h>

#define PW_NEXT(kind, symbol, result, parameters, fallback) BOOT symbol

        .macro  BOOT symbol
        .globl  boot_\symbol
        .hidden boot_\symbol
        .type   boot_\symbol, @function
boot_\symbol:
        _CET_ENDBR
        leaq    next_\symbol(%rip), %r11
        jmp     boot
        .size   boot_\symbol, . - boot_\symbol
        .endm

        .text
#include "preload/calls/next_names.h"

        .type   boot, @function
boot:
        .cfi_startproc
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        movq    %r11, %rdi
        call    pw_resolve
        movq    %rax, %r11
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        jmp     *%r11
        .cfi_endproc
        .size   boot, . - boot

        .section .note.GNU-stack, "", @progbits
