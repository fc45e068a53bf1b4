/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal at a door or a machine: asks the card how far its holder may go, after the PIN, and
 * checks the proof (docs/formats.md, "Access proof").
 */
#include "commands.h"

#include <string.h>
#include <time.h>

#define SYSTEM       8U
#define CHALLENGE    16U
#define GRANT        5U /* level, valid to */
#define PROOF_LENGTH (GRANT + AES_BLOCK)

/* The system identifier: 16 hexadecimal digits, or up to 8 characters padded with 00. */
static bool read_system(const char *text, uint8_t system[SYSTEM])
{
    size_t length = 0;
    memset(system, 0, SYSTEM);
    if (strlen(text) > SYSTEM) {
        return hex_read(text, system, SYSTEM, &length) && length == SYSTEM;
    }
    memcpy(system, text, strlen(text));
    return *text != '\0';
}

/* The MAC covers who asked, what was asked, and what is granted. */
static enum outcome check_proof(struct world *world, const uint8_t *question,
                                const uint8_t proof[PROOF_LENGTH])
{
    static const char label[] = "TwinCOS access";
    struct problem *problem = &world->problem;
    const uint8_t *key = keyfile_get(&world->keys, "ACCESS", AES_BLOCK, problem);
    struct bytes input = {0};
    uint8_t mac[AES_BLOCK];
    bytes_add(&input, label, sizeof label - 1);
    bytes_add(&input, question, SYSTEM + CHALLENGE);
    bytes_add(&input, proof, GRANT);
    if (key == NULL) {
        return TROUBLE;
    }
    if (!crypto_cmac(key, AES_BLOCK, input.data, input.length, mac)) {
        return trouble(problem, "CMAC failed");
    }
    if (!crypto_equal(mac, proof + GRANT, sizeof mac)) {
        return refused(problem, "the proof does not fit this challenge: access is not granted");
    }
    return DONE;
}

static uint32_t bcd(unsigned value)
{
    uint32_t digits = 0;
    for (unsigned shift = 0; value > 0; shift += 4, value /= 10) {
        digits |= (uint32_t)(value % 10) << shift;
    }
    return digits;
}

/* Today as YYYYMMDD, BCD. */
static uint32_t today(void)
{
    struct tm date = {0};
    time_t now = time(NULL);
    gmtime_r(&now, &date);
    return bcd((unsigned)(date.tm_year + 1900)) << 16 | bcd((unsigned)date.tm_mon + 1) << 8 |
           bcd((unsigned)date.tm_mday);
}

static enum outcome grant(struct world *world, const uint8_t proof[PROOF_LENGTH])
{
    char date[9], hex[2 * PROOF_LENGTH + 1];
    uint32_t valid_to =
        (uint32_t)proof[1] << 24 | (uint32_t)proof[2] << 16 | (uint32_t)proof[3] << 8 | proof[4];
    hex_write(proof + 1, 4, date);
    if (valid_to < today()) {
        return refused(&world->problem, "the card was valid to %.4s-%.2s-%.2s", date, date + 4,
                       date + 6);
    }
    report_line(&world->report, "access granted");
    report_number(&world->report, "level", "level", proof[0]);
    report_item(&world->report, "valid_to", "valid to", "%.4s-%.2s-%.2s", date, date + 4, date + 6);
    report_item(&world->report, "proof", "proof", "%s", hex_write(proof, PROOF_LENGTH, hex));
    return DONE;
}

/* Asks the card in the terminal. */
static enum outcome ask(struct world *world, const uint8_t *question, uint8_t proof[PROOF_LENGTH])
{
    struct card *card = &world->card;
    struct problem *problem = &world->problem;
    TRY(world_open_card(world));
    TRY(card_select_application(card, problem));
    if (world->options.pin != NULL) {
        TRY(card_verify(card, world->profile->pin_format, world->options.pin, problem));
    }
    struct command command = {.cla = 0x00,
                              .ins = 0x88,
                              .p2 = ACCESS_REFERENCE,
                              .data = question,
                              .nc = SYSTEM + CHALLENGE,
                              .ne = 256};
    TRY(card_do(card, "INTERNAL AUTHENTICATE", &command, problem));
    if (card->response.length != PROOF_LENGTH) {
        return refused(problem, "the proof has %zu bytes, not %u", card->response.length,
                       PROOF_LENGTH);
    }
    memcpy(proof, card->response.data, PROOF_LENGTH);
    return DONE;
}

enum outcome command_local(struct world *world, const char *name)
{
    (void)name;
    uint8_t question[SYSTEM + CHALLENGE], proof[PROOF_LENGTH];
    size_t length = 0;
    struct problem *problem = &world->problem;
    if (world->options.system == NULL || !read_system(world->options.system, question)) {
        return trouble(problem, "--system: 1 to 8 characters, or 16 hexadecimal digits");
    }
    if (!crypto_random(question + SYSTEM, CHALLENGE)) {
        return trouble(problem, "no random bytes");
    }
    if (world->options.replay == NULL) {
        TRY(ask(world, question, proof));
    } else if (!hex_read(world->options.replay, proof, sizeof proof, &length) ||
               length != sizeof proof) {
        return trouble(problem, "--replay: a proof of %u bytes in hexadecimal", PROOF_LENGTH);
    }
    TRY(check_proof(world, question, proof));
    return grant(world, proof);
}
