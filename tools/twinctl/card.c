/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands to the card, and what its answers mean.
 */
#include "card.h"
#include "pin.h"

#include "cos/gate.h"

#include <stdio.h>
#include <string.h>

/* One command and its response to the end, for T=0 as well: 61XX is fetched, 6CXX is repeated with
 * the right Le, the last byte (ISO/IEC 7816-3:2006, 12.2). No MAC covers Le. */
static enum outcome exchange(struct card *card, struct bytes *apdu, bool has_le,
                             struct problem *problem)
{
    struct transport *transport = card->transport;
    enum outcome outcome = transport->exchange(transport, apdu->data, apdu->length, problem);
    if (outcome == DONE && has_le && transport->response_length == 2 &&
        transport->response[0] == 0x6C) {
        apdu->data[apdu->length - 1] = transport->response[1];
        outcome = transport->exchange(transport, apdu->data, apdu->length, problem);
    }
    if (outcome == DONE && transport->response_length == 2 && transport->response[0] == 0x61) {
        uint8_t get_response[] = {0x00, 0xC0, 0x00, 0x00, transport->response[1]};
        outcome = transport->exchange(transport, get_response, sizeof get_response, problem);
    }
    if (outcome == DONE) {
        size_t data = transport->response_length - 2;
        card->response = (struct part){transport->response, data};
        card->sw = (uint16_t)(transport->response[data] << 8 | transport->response[data + 1]);
    }
    return outcome;
}

enum outcome card_send(struct card *card, const struct command *command, struct problem *problem)
{
    struct bytes apdu = {0};
    bool ok =
        card->secure ? scp03_wrap(&card->scp03, command, &apdu) : command_write(command, &apdu);
    enum outcome outcome = ok ? exchange(card, &apdu, command->ne > 0, problem)
                              : trouble(problem, "the command is too long");
    bytes_wipe(&apdu);
    if (outcome == DONE && card->secure &&
        !scp03_unwrap(&card->scp03, card->sw, card->transport->response, &card->response.length)) {
        card->secure = false;
        return refused(problem, "SCP03: the response is not authentic");
    }
    return outcome;
}

enum outcome card_do(struct card *card, const char *what, const struct command *command,
                     struct problem *problem)
{
    TRY(card_send(card, command, problem));
    return card->sw == SW_OK ? DONE : refused_by_card(problem, what, card->sw);
}

enum outcome card_keys(const struct keyfile *keys, const char *prefix, struct scp03_keys *set,
                       struct problem *problem)
{
    static const char *const names[] = {"ENC", "MAC", "DEK"};
    uint8_t *const places[] = {set->enc, set->mac, set->dek};
    *set = (struct scp03_keys){.length = AES_BLOCK};
    for (size_t i = 0; i < 3; i++) {
        char name[KEYFILE_NAME_MAX + 1];
        snprintf(name, sizeof name, "%s_%s", prefix, names[i]);
        const uint8_t *value = keyfile_get(keys, name, AES_BLOCK, problem);
        if (value == NULL) {
            return TROUBLE;
        }
        memcpy(places[i], value, AES_BLOCK);
    }
    return DONE;
}

static enum outcome open_with(struct card *card, const struct scp03_keys *set, uint8_t key_version,
                              struct problem *problem)
{
    static const struct part domain = {(const uint8_t *)ISSUER_DOMAIN, sizeof ISSUER_DOMAIN - 1};
    uint8_t challenge[SCP03_CHALLENGE];
    if (!crypto_random(challenge, sizeof challenge)) {
        return trouble(problem, "no random bytes");
    }
    struct command begin = {.cla = 0x80,
                            .ins = 0x50,
                            .p1 = key_version,
                            .data = challenge,
                            .nc = sizeof challenge,
                            .ne = 256};
    struct bytes apdu = {0};
    TRY(card_do(card, "INITIALIZE UPDATE", &begin, problem));
    TRY(scp03_begin(&card->scp03, set, key_version, domain,
                    (struct part){challenge, sizeof challenge}, card->response, problem));
    uint8_t level = card->level != 0 ? card->level : SCP03_C_MAC_C_ENC;
    if (!scp03_authenticate(&card->scp03, level, &apdu)) {
        return trouble(problem, "SCP03: OpenSSL failed");
    }
    TRY(exchange(card, &apdu, false, problem));
    card->secure = card->sw == SW_OK;
    return card->secure ? DONE : refused_by_card(problem, "EXTERNAL AUTHENTICATE", card->sw);
}

enum outcome card_open_scp03(struct card *card, const struct keyfile *keys, const char *prefix,
                             uint8_t key_version, struct problem *problem)
{
    struct scp03_keys set;
    card->secure = false;
    TRY(card_keys(keys, prefix, &set, problem));
    enum outcome outcome = open_with(card, &set, key_version, problem);
    crypto_wipe(&set, sizeof set);
    return outcome;
}

enum outcome card_create(struct card *card, const char *what, const struct bytes *fcp,
                         struct problem *problem)
{
    if (fcp->failed) {
        return trouble(problem, "%s: the file control parameters are too long", what);
    }
    struct command create = {.cla = 0x00, .ins = 0xE0, .data = fcp->data, .nc = fcp->length};
    TRY(card_send(card, &create, problem));
    if (card->sw == SW_FILE_EXISTS || card->sw == SW_NAME_EXISTS) {
        return DONE;
    }
    return card->sw == SW_OK ? DONE : refused_by_card(problem, what, card->sw);
}

enum outcome card_select_file(struct card *card, uint16_t fid, struct problem *problem)
{
    const uint8_t data[] = {(uint8_t)(fid >> 8), (uint8_t)fid};
    struct command select = {.cla = 0x00, .ins = 0xA4, .p2 = 0x0C, .data = data, .nc = sizeof data};
    return card_send(card, &select, problem);
}

enum outcome card_select_application(struct card *card, struct problem *problem)
{
    static const uint8_t name[] = APPLICATION_NAME;
    struct command select = {.cla = 0x00,
                             .ins = 0xA4,
                             .p1 = 0x04,
                             .p2 = 0x0C,
                             .data = name,
                             .nc = sizeof APPLICATION_NAME - 1};
    return card_do(card, "SELECT the access application", &select, problem);
}

enum outcome card_verify(struct card *card, uint8_t format, const char *pin,
                         struct problem *problem)
{
    struct bytes value = {0};
    pin_encode(&value, format, (struct part){(const uint8_t *)pin, strlen(pin)});
    if (value.failed) {
        return trouble(problem, "the PIN has too few or too many digits");
    }
    struct command verify = {
        .cla = 0x00, .ins = 0x20, .p2 = PIN_REFERENCE, .data = value.data, .nc = value.length};
    enum outcome outcome = card_do(card, "VERIFY the PIN", &verify, problem);
    bytes_wipe(&value);
    return outcome;
}

/* Copies a value of exactly this length. */
static bool copy_object(struct part template, unsigned tag, uint8_t *to, size_t length)
{
    struct part value;
    if (!tlv_find(template.data, template.length, tag, &value) || value.length != length) {
        return false;
    }
    memcpy(to, value.data, length);
    return true;
}

enum outcome card_identify(struct card *card, struct card_identity *identity,
                           struct problem *problem)
{
    struct command get = {.cla = 0x80, .ins = 0xCA, .p1 = 0x01, .p2 = 0x01, .ne = 256};
    TRY(card_do(card, "GET DATA 0101", &get, problem));
    *identity = (struct card_identity){0};
    identity->has_serial = copy_object(card->response, 0xC1, identity->serial, 8);
    copy_object(card->response, 0xC3, &identity->global_platform, 1);
    if (!copy_object(card->response, 0xC0, &identity->life_cycle, 1) ||
        !copy_object(card->response, 0xC2, identity->version, 3)) {
        return refused(problem, "GET DATA 0101: life cycle or version is missing");
    }
    return DONE;
}

const char *card_life_cycle_text(uint8_t life_cycle)
{
    static const char *const texts[] = {
        [COS_LIFE_BLANK] = "BLANK",
        [COS_LIFE_FABRICATED] = "FABRICATED",
        [COS_LIFE_PACKAGED] = "PACKAGED",
        [COS_LIFE_PRODUCED] = "PRODUCED",
        [COS_LIFE_INITIALIZED] = "INITIALIZED",
        [COS_LIFE_PERSONALIZED] = "PERSONALIZED",
        [COS_LIFE_OPERATIONAL] = "OPERATIONAL",
        [COS_LIFE_LOCKED] = "LOCKED",
        [COS_LIFE_TERMINATED] = "TERMINATED",
    };
    return life_cycle < sizeof texts / sizeof texts[0] ? texts[life_cycle] : "unknown";
}

const char *card_global_platform_text(uint8_t state)
{
    switch (state) {
    case 0x00:
        return "none";
    case 0x01:
        return "OP_READY";
    case 0x07:
        return "INITIALIZED";
    case 0x0F:
        return "SECURED";
    case 0x7F:
        return "CARD_LOCKED";
    case 0xFF:
        return "TERMINATED";
    default:
        return "unknown";
    }
}
