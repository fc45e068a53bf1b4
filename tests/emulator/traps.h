/* SPDX-License-Identifier: Apache-2.0
 *
 * What the firmware has the emulator do: everything that would be hardware. A function of this name
 * is one SVC instruction with this number (traps.S); its arguments and its result are those of the
 * function of the same name in cos/port.h, in their registers.
 */
#ifndef TESTS_EMULATOR_TRAPS_H
#define TESTS_EMULATOR_TRAPS_H

#define TRAP_NVM_READ      1
#define TRAP_NVM_PROGRAM   2
#define TRAP_NVM_ERASE     3
#define TRAP_LINK_SEND     4
#define TRAP_LINK_RECEIVE  5
#define TRAP_ENTROPY_READ  6
#define TRAP_CONTACTS_TEST 7
#define TRAP_LINE_SET      8
#define TRAP_LINE_SEND     9
#define TRAP_LINE_RECEIVE  10
#define TRAP_LINE_ELAPSED  11
#define TRAP_AES_ENCRYPT   12 /* the block engine that chips have */
#define TRAP_STARTED       13 /* cos_app_start() has returned; its result is the argument */

#endif
