// SPDX-License-Identifier: Apache-2.0
// Entry to hooked functions. A trampoline of the scope library arrives here
// with r11 = its slot (abi/scope_library.h) and everything else as the caller
// left it; rax, the vector registers and the argument registers may all carry
// arguments (variadic functions count vector arguments in al).
#include <cet.h>

#define SLOT_ENTRY   0
#define SLOT_REAL    8
#define SLOT_TAG    28
#define MAX_SCOPES   9          // thread.h
#define DEEPEST_STACK 0x4000000 // scopes.h
#define SCOPE_SP     8          // offsets from the start of Thread, plus 24 a scope
#define SCOPE_RA    16
#define SCOPE_TAG   24

        .text

// Records {SP, return address, tag} and jumps to the real function.
        .p2align 6                              // where it begins costs 0.5 ns a call
        .globl  pw_scope_enter
        .hidden pw_scope_enter
        .type   pw_scope_enter, @function
pw_scope_enter:
        .cfi_startproc
        _CET_ENDBR
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        movq    pw_thread@gottpoff(%rip), %r10
        movl    %fs:(%r10), %eax
        leaq    16(%rsp), %rcx                  // where the return address lies
        testl   %eax, %eax
        jnz     .Ldrop_returned
.Lpush:
        addl    $1, %fs:(%r10)                  // first: a signal handler may push too
        leaq    (%rax,%rax,2), %rax
        leaq    (%r10,%rax,8), %rax             // this scope's place
        movq    %rcx, %fs:SCOPE_SP(%rax)
        movq    (%rcx), %rcx
        movq    %rcx, %fs:SCOPE_RA(%rax)
        movl    SLOT_TAG(%r11), %ecx
        movq    %rcx, %fs:SCOPE_TAG(%rax)
.Lgo:
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        popq    %rax
        .cfi_adjust_cfa_offset -8
        jmp     *SLOT_REAL(%r11)

        // Records at or below this depth belong to calls that have returned, if
        // they are of this stack: a fiber's may only be waiting.
        .cfi_adjust_cfa_offset 16
.Ldrop_returned:
        leaq    (%rax,%rax,2), %rax
        leaq    (%r10,%rax,8), %rax
        movq    %fs:SCOPE_SP-24(%rax), %rax
        subq    %rcx, %rax
        ja      .Lkeep
        cmpq    $-DEEPEST_STACK, %rax
        jl      .Lkeep
        subl    $1, %fs:(%r10)
        movl    %fs:(%r10), %eax
        jnz     .Ldrop_returned
        jmp     .Lpush
.Lkeep:
        movl    %fs:(%r10), %eax
        cmpl    $MAX_SCOPES, %eax
        jb      .Lpush

        // Full: drop what is dead further down. If all are alive, the outer
        // extents cover this one already.
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        pushq   %r8
        .cfi_adjust_cfa_offset 8
        pushq   %r9
        .cfi_adjust_cfa_offset 8
        pushq   %r10
        .cfi_adjust_cfa_offset 8
        pushq   %r11
        .cfi_adjust_cfa_offset 8
        movq    %rcx, %rdi
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    pw_compact_scopes
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        popq    %r11
        .cfi_adjust_cfa_offset -8
        popq    %r10
        .cfi_adjust_cfa_offset -8
        popq    %r9
        .cfi_adjust_cfa_offset -8
        popq    %r8
        .cfi_adjust_cfa_offset -8
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        movl    %fs:(%r10), %eax
        cmpl    $MAX_SCOPES, %eax
        jb      .Lpush
        jmp     .Lgo
        .cfi_endproc
        .size   pw_scope_enter, . - pw_scope_enter

// Entry of a function that no rule names, where another policy may name it at any time.
        .p2align 4
        .globl  pw_scope_follow
        .hidden pw_scope_follow
        .type   pw_scope_follow, @function
pw_scope_follow:
        .cfi_startproc
        _CET_ENDBR
        movq    pw_live_word(%rip), %r10
        movq    (%r10), %r10
        cmpq    pw_adopted_word(%rip), %r10
        jne     .Lchanged
        jmp     *SLOT_REAL(%r11)
.Lchanged:                                      // no vector register is touched below
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        pushq   %r8
        .cfi_adjust_cfa_offset 8
        pushq   %r9
        .cfi_adjust_cfa_offset 8
        pushq   %r11
        .cfi_adjust_cfa_offset 8
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    pw_adopt_policy
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r11
        .cfi_adjust_cfa_offset -8
        popq    %r9
        .cfi_adjust_cfa_offset -8
        popq    %r8
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        popq    %rax
        .cfi_adjust_cfa_offset -8
        leaq    pw_scope_follow(%rip), %r10
        cmpq    %r10, SLOT_ENTRY(%r11)          // another thread may be at it
        je      .Lunnamed
        jmp     *SLOT_ENTRY(%r11)
.Lunnamed:
        jmp     *SLOT_REAL(%r11)
        .cfi_endproc
        .size   pw_scope_follow, . - pw_scope_follow

// First call of a hooked function whose library was not there at start:
// pw_bind_slot finds it, then the call goes on through the slot. The loader's
// code below it may use the vector registers that hold this call's arguments.
        .globl  pagewarden_scope_bind
        .type   pagewarden_scope_bind, @function
pagewarden_scope_bind:
        .cfi_startproc
        _CET_ENDBR
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq   %rax
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        subq    $512, %rsp
        andq    $-64, %rsp
        fxsave64 (%rsp)
        movq    %r11, %rdi
        call    pw_bind_slot
        fxrstor64 (%rsp)
        leaq    -72(%rbp), %rsp
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        popq    %rax
        popq    %rbp
        .cfi_def_cfa %rsp, 8
        jmp     *SLOT_ENTRY(%r11)
        .cfi_endproc
        .size   pagewarden_scope_bind, . - pagewarden_scope_bind

        .section .note.GNU-stack, "", @progbits
