/* SPDX-License-Identifier: Apache-2.0
 *
 * A card that was made by twinctl and runs in twincard, seen from outside: for cmocka programs two
 * folders below the two programs. Whatever goes wrong here fails the test.
 */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The PIN of the card is 482915. */
#define SELECT_DF    "00A4000C025100"
#define READ_HOLDER  "00B0810005"
#define QUERY        "00200081"
#define VERIFY_RIGHT "0020008106343832393135"
#define VERIFY_WRONG "0020008106393939393939"

/* Group set-up and tear-down: a folder of our own with a personalized card, and its end. */
int outside_make(void **state);
int outside_throw_away(void **state);
/* Test set-up: the card in use is again as it was personalized. */
int outside_fresh(void **state);

/* A path in the folder; the last sixteen results are valid. The card in use lies in "card". */
const char *outside_path(const char *name);

/* Starts a program with its messages going to a file. */
pid_t outside_program(const char *name, char *const arguments[], const char *messages);
/* Waits for its end: exit status, or 1000 and the signal. */
int outside_exit_status(pid_t process);
/* What the last card wrote to its standard error. */
const char *outside_messages(void);
/* Processes whose parent is `process`: how many. */
int outside_children(pid_t process, pid_t found[4]);
void outside_pause(long milliseconds);

/* A running card and the connection to it. */
struct reader {
    pid_t card;
    int socket;
};

/* Starts twincard on the card in use with up to two more arguments (or NULL), and connects. */
struct reader outside_start(const char *more, const char *still_more);
/* Ends it with SIGTERM: exit status. */
int outside_end(struct reader *reader);
/* A further connection. */
int outside_dial(void);

size_t outside_from_hex(const char *hex, uint8_t *bytes);
/* Sends one frame; waits for the next answer, in hex, "" if the card hung up; both. */
void outside_put(const struct reader *reader, const char *hex);
const char *outside_get(const struct reader *reader);
const char *outside_ask(const struct reader *reader, const char *hex);

#endif
