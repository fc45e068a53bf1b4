/* SPDX-License-Identifier: Apache-2.0
 *
 * The host at the far end of a line, with its security module: sends R, gets X = E_K(R), computes R
 * back and compares. No password crosses the line.
 */
#include "commands.h"

#include <string.h>

/* X comes from the card of this host's key, and nobody touched it on the way. */
static enum outcome check_answer(struct world *world, const struct keyfile_entry *key,
                                 const uint8_t *challenge, const uint8_t *answer, size_t length)
{
    uint8_t back[AES_BLOCK];
    bool ok = key->length == TDES_KEY
                  ? crypto_tdes_ecb(key->value, CRYPTO_DECIPHER, answer, length, back)
                  : crypto_aes_ecb(key->value, key->length, CRYPTO_DECIPHER, answer, length, back);
    if (!ok) {
        return trouble(&world->problem, "OpenSSL failed");
    }
    if (!crypto_equal(challenge, back, length)) {
        return refused(&world->problem,
                       "R does not come back from X: another card, or X was altered");
    }
    return DONE;
}

/* The serial number that the card claims must be the one of the key that it proved. */
static enum outcome check_serial(struct world *world)
{
    struct card_identity identity;
    const struct keyfile_entry *serial = keyfile_find(&world->keys, "SERIAL");
    TRY(card_identify(&world->card, &identity, &world->problem));
    if (identity.has_serial && serial != NULL &&
        (serial->length != sizeof identity.serial ||
         memcmp(serial->value, identity.serial, sizeof identity.serial) != 0)) {
        return refused(&world->problem, "the card claims the serial number of another");
    }
    if (identity.has_serial) {
        char hex[2 * sizeof identity.serial + 1];
        report_item(&world->report, "serial", "serial number", "%s",
                    hex_write(identity.serial, sizeof identity.serial, hex));
    }
    return DONE;
}

enum outcome command_remote(struct world *world, const char *name)
{
    (void)name;
    struct card *card = &world->card;
    struct problem *problem = &world->problem;
    uint8_t challenge[AES_BLOCK], answer[AES_BLOCK];
    char hex[2 * AES_BLOCK + 1];
    const struct keyfile_entry *key = keyfile_find(&world->keys, "REMOTE");
    if (key == NULL || (key->length != AES_BLOCK && key->length != TDES_KEY)) {
        return trouble(problem, "key file %s: REMOTE of 16 or 24 bytes is missing",
                       world->keys.path);
    }
    size_t length = key->length == TDES_KEY ? DES_BLOCK : AES_BLOCK;
    if (!crypto_random(challenge, length)) {
        return trouble(problem, "no random bytes");
    }
    TRY(card_select_application(card, problem));
    if (world->options.pin != NULL) {
        TRY(card_verify(card, world->profile->pin_format, world->options.pin, problem));
    }
    struct command command = {.cla = 0x00,
                              .ins = 0x88,
                              .p2 = REMOTE_REFERENCE,
                              .data = challenge,
                              .nc = length,
                              .ne = 256};
    TRY(card_do(card, "INTERNAL AUTHENTICATE", &command, problem));
    if (card->response.length != length) {
        return refused(problem, "X has %zu bytes, not %zu", card->response.length, length);
    }
    memcpy(answer, card->response.data, length);
    if (world->options.alter) { /* somebody on the line */
        answer[length / 2] ^= 0x01;
    }
    report_item(&world->report, "r", "R, sent", "%s", hex_write(challenge, length, hex));
    report_item(&world->report, "x", world->options.alter ? "X, altered" : "X, received", "%s",
                hex_write(answer, length, hex));
    TRY(check_answer(world, key, challenge, answer, length));
    TRY(check_serial(world));
    report_line(&world->report, "access granted");
    return DONE;
}
