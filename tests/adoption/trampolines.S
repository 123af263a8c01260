// SPDX-License-Identifier: Apache-2.0
// The slots and trampolines of abi/scope_library.h, for the functions of
// tests/programs/live_reload_functions.c.
        .data
        .p2align 3
        .globl  pagewarden_scope_slots
        .type   pagewarden_scope_slots, @object
pagewarden_scope_slots:
        .quad   pagewarden_scope_bind, 0, .Lfirst, 0
        .quad   pagewarden_scope_bind, 0, .Lsecond, 1
        .quad   pagewarden_scope_bind, 0, .Lopen, 2
        .size   pagewarden_scope_slots, . - pagewarden_scope_slots
.Lfirst:
        .asciz  "live_first"
.Lsecond:
        .asciz  "live_second"
.Lopen:                                 // without it, a rule for files would wait
        .asciz  "open"

        .text
        .globl  hooked_first
        .type   hooked_first, @function
hooked_first:
        leaq    pagewarden_scope_slots(%rip), %r11
        jmp     *(%r11)
        .size   hooked_first, . - hooked_first

        .globl  hooked_second
        .type   hooked_second, @function
hooked_second:
        leaq    pagewarden_scope_slots+32(%rip), %r11
        jmp     *(%r11)
        .size   hooked_second, . - hooked_second

        .section .note.GNU-stack, "", @progbits
