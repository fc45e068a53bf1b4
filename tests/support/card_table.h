/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of commands for a whole card: one row a command, with the status word and the response
 * data that it must get. Whoever is refused must have changed nothing: around every row that ends
 * in an error both chips' NVM is compared, and the operations on it are counted.
 */
#ifndef CARD_TABLE_H
#define CARD_TABLE_H

#include "bench.h"

enum card_flags {
    CARD_SM = 0x01,     /* goes through the SCP03 session that is open */
    CARD_KEEPS = 0x02,  /* succeeds, and writes no NVM */
    CARD_WRITES = 0x04, /* is refused, and may write NVM all the same: it spends a try */
};

struct card_row {
    const char *what;
    const char *apdu; /* hexadecimal; with CARD_SM the plain command without Le */
    uint16_t sw;
    const char *data; /* hexadecimal; NULL: none; with * at the end: begins with this */
    unsigned flags;
};
#define CARD_ANY "*"

#define CARD_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Sends the commands one after the other, and fails the test after the last one if any answered
 * otherwise, with each of them named. */
void bench_rows(struct bench *bench, const struct card_row *rows, size_t count);
#define BENCH_ROWS(bench, rows) bench_rows(bench, rows, CARD_COUNT(rows))

/* One command; fails the test at once. */
void bench_expect(struct bench *bench, const char *apdu, uint16_t sw, const char *data);
void bench_expect_sm(struct bench *bench, const char *apdu, uint16_t sw, const char *data);
/* CREATE FILE with the value of a template 62, in the session that is open or (secured false) in
 * the clear. */
uint16_t bench_create(struct bench *bench, bool secured, const char *fcp);
/* Opens a session and creates files in it, each after a SELECT of its DF. */
void bench_create_files(struct bench *bench, const char *select_df, const char *const *fcps,
                        size_t count);
#define BENCH_APPLICATION "00A4040C 09 F05457494E434F5301" /* SELECT of the access application */
/* STORE DATA of sensitive data groups in the session that is open. */
uint16_t bench_store(struct bench *bench, const char *dgis);
/* The same of one, whose number (8010 PIN, 8020 key) and value are given. */
uint16_t bench_store_one(struct bench *bench, const char *number, const char *value);
/* Opens a session, and stores PINs in it: each must be taken. */
void bench_store_pins(struct bench *bench, const char *const *pins, size_t count);
/* Opens SCP03 with the card keys (version 01). */
void bench_session(struct bench *bench, uint8_t level);
/* Writes what a plain command (short, without Le) becomes in the session that is open. */
void bench_wrap(struct bench *bench, const char *plain, struct bytes *apdu);
/* SELECT of the access application. */
void bench_select(struct bench *bench);
/* Takes power away and gives it back. */
void bench_reset(struct bench *bench);

/* Bytes from hexadecimal text; returns their number. */
size_t bench_bytes(const char *hex, uint8_t *bytes, size_t capacity);

/* ---- Key sets of any length ---- */

/* Opens SCP03 with these keys. Returns the status word; 6300 also if the card does not prove them.
 */
uint16_t bench_open_keys(struct bench *bench, const struct scp03_keys *keys, uint8_t key_version,
                         uint8_t level);
/* Data of PUT KEY for a set, under the DEK of `old`. */
void bench_key_data(struct bytes *data, const struct scp03_keys *old, uint8_t key_version,
                    const struct scp03_keys *keys);
/* PUT KEY in the session that is open: replaces old_version, or adds a set (0). */
uint16_t bench_put_keys(struct bench *bench, const struct scp03_keys *old, uint8_t old_version,
                        uint8_t key_version, const struct scp03_keys *keys);

/* ---- NVM of both chips ---- */

struct card_image {
    uint64_t operations;
    uint8_t *cells[2];
};
void card_image_take(const struct bench *bench, struct card_image *image);
/* Whether nothing was programmed or erased since, and every byte is what it was; frees the image.
 */
bool card_image_same(const struct bench *bench, struct card_image *image);

/* Whether bytes stand anywhere in the raw NVM of a chip. */
bool card_nvm_contains(const struct sim_nvm *nvm, const void *needle, size_t length);

/* ---- Fixtures of cmocka: *state is a struct bench ---- */

int card_make(void **state);       /* a finished card, power on */
int card_make_blank(void **state); /* before its first start, power on */
int card_free(void **state);
#define CARD_TEST(function) cmocka_unit_test_setup_teardown(function, card_make, card_free)
#define CARD_BLANK_TEST(function)                                                                  \
    cmocka_unit_test_setup_teardown(function, card_make_blank, card_free)

#endif
