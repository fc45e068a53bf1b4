/* SPDX-License-Identifier: Apache-2.0
 *
 * One session with a card: commands and status words, in the clear or under SCP03.
 */
#ifndef TWINCTL_CARD_H
#define TWINCTL_CARD_H

#include "keyfile.h"
#include "scp03.h"
#include "transport.h"

enum { SW_OK = 0x9000, SW_FILE_EXISTS = 0x6A89, SW_NAME_EXISTS = 0x6A8A };

/* Names and numbers that outsiders rely on. */
#define ISSUER_DOMAIN      "\xA0\x00\x00\x01\x51\x00\x00\x00"
#define APPLICATION_NAME   "\xF0TWINCOS\x01"
#define KVN_INITIALIZATION 0x30U
#define KVN_CARD           0x01U
#define PIN_REFERENCE      0x81U
#define ACCESS_REFERENCE   0x81U
#define REMOTE_REFERENCE   0x82U

struct card {
    struct transport *transport;
    bool secure;   /* SCP03 is open: every command is wrapped */
    uint8_t level; /* of SCP03 sessions to be opened, 0 = 03 */
    struct scp03 scp03;
    uint16_t sw;          /* of the last command */
    struct part response; /* its data, valid until the next command */
};

/* Sends a command and takes the response, whatever the status word; on T=0 also GET RESPONSE and
 * the right Le. TROUBLE if the card is gone. */
enum outcome card_send(struct card *card, const struct command *command, struct problem *problem);

/* The same, and REFUSED unless the status word is 9000: `what` names the command. */
enum outcome card_do(struct card *card, const char *what, const struct command *command,
                     struct problem *problem);

/* Opens SCP03 at card->level with the keys PREFIX_ENC, PREFIX_MAC and PREFIX_DEK of the file. */
enum outcome card_open_scp03(struct card *card, const struct keyfile *keys, const char *prefix,
                             uint8_t key_version, struct problem *problem);

/* Reads such a set of three AES-128 keys. */
enum outcome card_keys(const struct keyfile *keys, const char *prefix, struct scp03_keys *set,
                       struct problem *problem);

/* The security condition byte of what the issuer alone may do: secure messaging, all of. */
#define CONDITION_ISSUER 0xC0U
#define CONDITION_NEVER  0xFFU

/* CREATE FILE. A file (or name) that is there already, from a run that was cut off, is DONE. */
enum outcome card_create(struct card *card, const char *what, const struct bytes *fcp,
                         struct problem *problem);

/* SELECT by file identifier, no response data. DONE whatever the status word: it tells. */
enum outcome card_select_file(struct card *card, uint16_t fid, struct problem *problem);

/* SELECT of the access application by name, no response data. */
enum outcome card_select_application(struct card *card, struct problem *problem);

/* VERIFY of the holder's PIN. */
enum outcome card_verify(struct card *card, uint8_t format, const char *pin,
                         struct problem *problem);

/* What every card tells in every state (GET DATA 0101). */
struct card_identity {
    uint8_t life_cycle; /* enum cos_life_cycle */
    uint8_t global_platform;
    bool has_serial; /* the profile may keep it from strangers */
    uint8_t serial[8];
    uint8_t version[3];
};
enum outcome card_identify(struct card *card, struct card_identity *identity,
                           struct problem *problem);

/* The name of a state of docs/formats.md, and of a GlobalPlatform card state. */
const char *card_life_cycle_text(uint8_t life_cycle);
const char *card_global_platform_text(uint8_t state);

#endif
