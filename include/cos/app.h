/* SPDX-License-Identifier: Apache-2.0
 *
 * The application chip: contacts, commands, files. It holds no long-term secret but its share of
 * the pairing.
 */
#ifndef COS_APP_H
#define COS_APP_H

#include "cos/apdu.h"
#include "cos/atr.h"
#include "cos/fs.h"
#include "cos/gate.h"
#include "cos/t0.h"

/* What an answer of the security chip needs: a command must not fail for want of room when its work
 * is done. */
#define COS_APP_RESPONSE_LEAST (COS_GATE_MESSAGE_MAX - 8)

/* Sizes and parts that the vendor chooses. Constant for the life of an image. */
struct cos_app_config {
    const struct cos_crypto *crypto;
    struct cos_store_config store; /* scrub_from is set by the chip itself */
    uint32_t fab_at;               /* address in NVM of the fab record: one store page of its own */
    uint32_t atr_at;               /* address of the ATR record: two store pages */
    uint16_t files, names;         /* entries of the file table and the name table, cos/fs.h */
    uint8_t *response; /* buffer for response data, COS_APP_RESPONSE_LEAST bytes or more */
    uint16_t response_size;
    uint8_t *chain; /* buffer for command chaining: the longest data field. NULL: there is none */
    uint16_t chain_size;
    /* Longest command APDU that the port takes and hands on: with more than COS_APDU_SHORT_MAX
     * bytes the card says that it has extended length fields, and responses of response_size. */
    uint32_t command_size;
    const struct cos_gate_trace *trace; /* optional */
};

/* A logical channel (ISO/IEC 7816-4:2013, 5.4.2): what of a card's state it has for itself. */
struct cos_app_channel {
    bool open;
    bool bound;           /* in the security chip, to `application` (or to none) */
    bool active;          /* its session of secure messaging is, or a step waits */
    cos_file application; /* DF whose name it is bound to */
    cos_file df, ef;      /* current */
    uint16_t record;      /* current; 0 = none */
    uint8_t environment;  /* number of the security environment in force: 1 after reset, and when
                             another DF becomes current */
};

/* All state of the chip. The caller provides the memory; nothing in it is for the caller. */
struct cos_app {
    const struct cos_board *board;
    struct cos_app_config config;
    struct cos_store store;
    struct cos_fs fs;
    struct cos_gate_client gate;
    bool mute;                  /* every command gets 6F00 */
    uint8_t life_cycle;         /* as the security chip said last */
    uint8_t atr_life_cycle;     /* that the ATR record was looked at for; 0 = not yet */
    uint8_t pairing_generation; /* 0 = not paired */
    struct cos_app_channel channels[COS_CHANNELS];
    struct cos_app_channel *channel; /* of the command under way */
    struct cos_chain chain;
    struct cos_response response;
};

/* The ATR: from the ATR record of initialization, else the default. A record that says what this
 * card cannot do is refused when it is given; the third byte of card capabilities and the life
 * cycle are the card's own to set (docs/formats.md, "ATR record"). Reads two pages of raw NVM and
 * nothing else, so that it can be sent before cos_app_start(). Returns its length; 0 if
 * atr_capacity is too small. */
size_t cos_app_atr(const struct cos_board *board, const struct cos_app_config *config, uint8_t *atr,
                   size_t capacity);

/* Starts the chip after power-up or reset: store, files, session with the security chip. At the
 * first start it takes over its fab record (writes NVM). Returns COS_OK, or why every command will
 * be answered 6F00. */
enum cos_result cos_app_start(struct cos_app *app, const struct cos_board *board,
                              const struct cos_app_config *config);

/* Handles one command APDU and writes the response APDU to response[capacity], capacity at least
 * 258. Returns its length, at least 2. `command` is wiped where it may hold a secret. */
size_t cos_app_command(struct cos_app *app, uint8_t *command, size_t length, uint8_t *response,
                       size_t capacity);

/* A command came that the transport answers itself (cos/transport.h). It ends what any command
 * ends: a chain, a session of secure messaging on the channel of the command before, what waits for
 * GET RESPONSE. */
void cos_app_refused(struct cos_app *app);

/* Which way the data of a command with this header go with T=0 (cos/t0.h): what the command table
 * says of it. In: commands under secure messaging and parts of a chain; commands that always or
 * sometimes have data. Of these, P3 = 00 is the form without; that of SELECT with P1 = 03 (parent)
 * and PRODUCTION STEP with P2 = 00 or 02 has any Le. Out: all others, those that are not in the
 * table, and classes that have no meaning. Pure. */
enum cos_t0_direction cos_app_direction(const uint8_t header[5]);

/* To be called when the response is out: writes the settle mark, one or two operations on NVM. The
 * next command waits for it. */
void cos_app_settle(struct cos_app *app);

/* Erase counts of the chip's store. */
enum cos_result cos_app_wear(const struct cos_app *app, struct cos_store_wear *wear);

#endif
