/* SPDX-License-Identifier: Apache-2.0
 *
 * What the issuer does to a card in use (lock, unlock, terminate), what a card says of itself, and
 * commands as they are.
 */
#include "commands.h"

#include "cos/bytes.h"

#include <stdio.h>
#include <string.h>

#define CPLC_LENGTH 42U

enum outcome command_set_status(struct world *world, const char *name)
{
    static const struct {
        const char *name;
        uint8_t state;
    } states[] = {{"lock", 0x7F}, {"unlock", 0x0F}, {"terminate", 0xFF}};
    struct command set = {.cla = 0x80, .ins = 0xF0, .p1 = 0x80};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i].name, name) == 0) {
            set.p2 = states[i].state;
        }
    }
    struct card_identity identity;
    struct problem *problem = &world->problem;
    TRY(card_open_scp03(&world->card, &world->keys, "CARD", KVN_CARD, problem));
    TRY(card_do(&world->card, "SET STATUS", &set, problem));
    world->card.secure = false; /* a command in the clear ends secure messaging */
    TRY(card_identify(&world->card, &identity, problem));
    report_item(&world->report, "life_cycle", "the card is now", "%s",
                card_life_cycle_text(identity.life_cycle));
    return DONE;
}

/* GET DATA; a refusal is a fact like others, but for the loss of the card. */
static enum outcome get_data(struct world *world, const char *key, const char *label, unsigned tag,
                             bool *there)
{
    struct command get = {
        .cla = 0x80, .ins = 0xCA, .p1 = (uint8_t)(tag >> 8), .p2 = (uint8_t)tag, .ne = 256};
    TRY(card_send(&world->card, &get, &world->problem));
    *there = world->card.sw == SW_OK;
    if (!*there) {
        report_item(&world->report, key, label, "not told (%04X)", world->card.sw);
    }
    return DONE;
}

static unsigned number_at(const uint8_t *data, size_t at)
{
    return (unsigned)data[at] << 8 | data[at + 1];
}

static enum outcome report_cplc(struct world *world)
{
    struct report *report = &world->report;
    bool there = false;
    TRY(get_data(world, "cplc", "CPLC data", 0x9F7F, &there));
    if (!there) {
        return DONE;
    }
    struct part cplc = world->card.response;
    if (cplc.length != CPLC_LENGTH && !tlv_find(cplc.data, cplc.length, 0x9F7F, &cplc)) {
        cplc.length = 0;
    }
    if (cplc.length != CPLC_LENGTH) {
        return refused(&world->problem, "GET DATA 9F7F: not %u bytes of CPLC data", CPLC_LENGTH);
    }
    char hex[2 * CPLC_LENGTH + 1];
    report_item(report, "cplc", "CPLC data", "%s", hex_write(cplc.data, cplc.length, hex));
    report_line(report, "    IC fabricator %04X, type %04X, date %04X, batch %04X",
                number_at(cplc.data, 0), number_at(cplc.data, 2), number_at(cplc.data, 10),
                number_at(cplc.data, 16));
    report_line(report, "    operating system %04X, date %04X, level %04X", number_at(cplc.data, 4),
                number_at(cplc.data, 6), number_at(cplc.data, 8));
    report_line(report, "    module %04X on %04X, card %04X on %04X", number_at(cplc.data, 18),
                number_at(cplc.data, 20), number_at(cplc.data, 22), number_at(cplc.data, 24));
    report_line(report, "    pre-personalizer %04X on %04X, personalizer %04X on %04X",
                number_at(cplc.data, 26), number_at(cplc.data, 28), number_at(cplc.data, 34),
                number_at(cplc.data, 36));
    return DONE;
}

/* E0 {C0 {identifier, version, type, length} ...}. */
static enum outcome report_keys(struct world *world)
{
    bool there = false;
    TRY(get_data(world, "keys", "card keys", 0x00E0, &there));
    struct part template = world->card.response, value;
    if (!there || !tlv_find(template.data, template.length, 0xE0, &template)) {
        return DONE;
    }
    char text[256] = "";
    unsigned tag = 0;
    while (tlv_next(&template, &tag, &value)) {
        size_t at = strlen(text);
        if (tag == 0xC0 && value.length >= 4) {
            snprintf(text + at, sizeof text - at, "%s%02X (version %02X, %s-%u)",
                     at > 0 ? ", " : "", value.data[0], value.data[1],
                     value.data[2] == 0x88 ? "AES" : "other", value.data[3] * 8U);
        }
    }
    report_item(&world->report, "keys", "card keys", "%s", text);
    return DONE;
}

/* Old form: length, AID, state, privileges. */
static enum outcome report_domain(struct world *world)
{
    struct command status = {.cla = 0x80,
                             .ins = 0xF2,
                             .p1 = 0x80,
                             .data = (const uint8_t[]){0x4F, 0x00},
                             .nc = 2,
                             .ne = 256};
    TRY(card_send(&world->card, &status, &world->problem));
    struct part answer = world->card.response;
    if (world->card.sw != SW_OK || answer.length < 1 || answer.length < 2U + answer.data[0] ||
        answer.data[0] > 16) {
        report_item(&world->report, "security_domain", "security domain", "not told (%04X)",
                    world->card.sw);
        return DONE;
    }
    char aid[33];
    size_t length = answer.data[0];
    report_item(&world->report, "security_domain", "security domain", "%s, %s",
                hex_write(answer.data + 1, length, aid),
                card_global_platform_text(answer.data[1 + length]));
    return DONE;
}

enum outcome command_info(struct world *world, const char *name)
{
    (void)name;
    struct report *report = &world->report;
    struct card_identity identity;
    char hex[2 * TRANSPORT_ATR_MAX + 1];
    report_item(report, "atr", "ATR", "%s",
                hex_write(world->transport.atr, world->transport.atr_length, hex));
    TRY(card_identify(&world->card, &identity, &world->problem));
    report_item(report, "life_cycle", "life cycle", "%s",
                card_life_cycle_text(identity.life_cycle));
    report_item(report, "global_platform", "GlobalPlatform state", "%s",
                card_global_platform_text(identity.global_platform));
    report_item(report, "version", "version", "%u.%u.%u", identity.version[0], identity.version[1],
                identity.version[2]);
    report_item(report, "serial", "serial number", "%s",
                identity.has_serial ? hex_write(identity.serial, sizeof identity.serial, hex)
                                    : "not told");
    TRY(report_domain(world));
    TRY(report_keys(world));
    return report_cplc(world);
}

/* Reports response data, space, SW. */
static void report_apdu(struct world *world, const uint8_t *data, size_t length, uint16_t sw)
{
    static char line[2 * TRANSPORT_MAX + 2];
    hex_write(data, length, line);
    snprintf(line + 2 * length, sizeof line - 2 * length, "%s%04X", length > 0 ? " " : "", sw);
    report_response(&world->report, line);
}

/* Sends one command, whatever it is. */
static enum outcome send_plain(struct world *world, const uint8_t *command, size_t length)
{
    struct transport *transport = &world->transport;
    TRY(transport->exchange(transport, command, length, &world->problem));
    size_t data = transport->response_length - 2;
    report_apdu(world, transport->response, data, cos_get16(transport->response + data));
    return DONE;
}

/* Sends one command of a short case under the secure messaging that is open. */
static enum outcome send_secured(struct world *world, const uint8_t *apdu, size_t length)
{
    struct command command;
    command_read(apdu, length, &command);
    TRY(card_send(&world->card, &command, &world->problem));
    report_apdu(world, world->card.response.data, world->card.response.length, world->card.sw);
    return DONE;
}

/* A slip of the pen in the last one is found before the first one is sent. */
static enum outcome check_apdus(struct world *world, uint8_t *apdu, size_t capacity)
{
    struct command command;
    size_t length = 0;
    for (int i = 0; i < world->options.argument_count; i++) {
        const char *text = world->options.arguments[i];
        if (!hex_read(text, apdu, capacity, &length) || length < 2) {
            return trouble(&world->problem, "%.40s is not an APDU in hexadecimal", text);
        }
        if (world->options.issuer && !command_read(apdu, length, &command)) {
            return trouble(&world->problem, "%.40s is not a short command APDU", text);
        }
    }
    return DONE;
}

/* --level: of the issuer's session. */
static enum outcome take_level(struct world *world, uint8_t *level)
{
    const char *text = world->options.level;
    size_t length = 1;
    if (text != NULL && (!world->options.issuer || !hex_read(text, level, 1, &length) ||
                         length != 1 || *level == 0)) {
        return trouble(&world->problem, "--level goes with --issuer: 01, 03, 11, 13 or 33");
    }
    return DONE;
}

enum outcome command_apdu(struct world *world, const char *name)
{
    (void)name;
    static uint8_t apdu[TRANSPORT_MAX];
    const bool issuer = world->options.issuer;
    uint8_t level = 0;
    size_t length = 0;
    TRY(check_apdus(world, apdu, sizeof apdu));
    TRY(take_level(world, &level));
    TRY(issuer ? world_open_keys(world) : DONE);
    TRY(world_open_card(world));
    world->card.level = level;
    TRY(issuer ? card_open_scp03(&world->card, &world->keys, "CARD", KVN_CARD, &world->problem)
               : DONE);
    for (int i = 0; i < world->options.argument_count; i++) {
        hex_read(world->options.arguments[i], apdu, sizeof apdu, &length);
        TRY(issuer ? send_secured(world, apdu, length) : send_plain(world, apdu, length));
    }
    return DONE;
}
