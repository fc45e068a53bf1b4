/* SPDX-License-Identifier: Apache-2.0 */
#include "../traps.h"

    .syntax unified
    .thumb

    .macro trap name, number
    .section .text.\name, "ax"
    .global \name
    .thumb_func
    .type \name, %function
\name:
    svc \number
    bx lr
    .endm

    trap nvm_read, TRAP_NVM_READ
    trap nvm_program, TRAP_NVM_PROGRAM
    trap nvm_erase, TRAP_NVM_ERASE
    trap link_send, TRAP_LINK_SEND
    trap link_receive, TRAP_LINK_RECEIVE
    trap entropy_read, TRAP_ENTROPY_READ
    trap contacts_test, TRAP_CONTACTS_TEST
    trap line_set, TRAP_LINE_SET
    trap line_send, TRAP_LINE_SEND
    trap line_receive, TRAP_LINE_RECEIVE
    trap line_elapsed, TRAP_LINE_ELAPSED
    trap aes_block, TRAP_AES_ENCRYPT
    trap started, TRAP_STARTED
