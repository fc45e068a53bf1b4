/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole card that takes its time, behind its contacts: the chips of a bench through the
 * transport, with one simulated clock for the line, the memory and both chips. The app chip's time
 * is that of the line. The security chip has its own: it works while the app chip waits, and its
 * frames arrive when they would. Nothing takes time but what stands in struct slow_times.
 *
 *     slow_card_start(&card, bench, &setting, &times);
 *     slow_card_run(&card, apdus, count);      from reset to reset, with the device of the protocol
 *     ... card.kept, card.largest, card.sw ...
 */
#ifndef TESTS_SLOW_CARD_H
#define TESTS_SLOW_CARD_H

#include "bench.h"
#include "cos/transport.h"
#include "reader_t1.h"
#include "terminal_t0.h"

struct slow_setting {
    unsigned protocol;
    uint8_t fi_di;   /* agreed upon by PPS */
    uint8_t waiting; /* WI or BWI */
    uint16_t khz;    /* of the contact's clock; 0: the highest that goes with Fi */
};

/* All in milliseconds. */
struct slow_times {
    double read, write;     /* app chip: an operation on NVM; program and erase */
    double seal;            /* app chip: opening or sealing a message of the gate */
    double start;           /* security chip: from the reset until it serves */
    double answer;          /* security chip: from a request to its answer, */
    double key_answer;      /* and to that of a call that works with keys */
    double secure_write;    /* security chip: program and erase */
    double generate, round; /* RSA key generation, and from one idle() to the next in it */
};

/* What is left out of the idle hook, to see that somebody notices. */
enum slow_deaf { SLOW_HEARS, SLOW_DEAF_IN_GATE, SLOW_DEAF_IN_MEMORY, SLOW_DEAF };

#define SLOW_FRAMES 64
#define SLOW_BUFFER 700

struct slow_card {
    struct bench *bench;
    struct slow_setting setting;
    struct slow_times times;
    bool clocks; /* boards have clock_ms */
    bool mute;   /* the security chip hears nothing */
    enum slow_deaf deaf;
    const struct cos_rsa_private *prepared; /* what key generation gives; NULL: the real one */
    struct cos_span modulus;

    /* Time in milliseconds; what of the line's clock is in it already, and what the line has not
     * got of it yet, in etu. */
    double now, secure_now, owed, etu;
    uint64_t seen;

    struct {
        double at;
        size_t length;
        uint8_t bytes[COS_LINK_FRAME_MAX];
    } to_secure[SLOW_FRAMES], to_app[SLOW_FRAMES];
    size_t to_secure_count, to_app_count;
    bool waits;           /* the app chip, for the gate */
    uint8_t answered[16]; /* header of the last response */

    struct cos_nvm app_nvm, secure_nvm;
    struct cos_link app_link, secure_link;
    struct cos_crypto app_crypto, secure_crypto;
    struct cos_transport transport;
    struct cos_transport_config config;
    struct cos_transport_handler handler;
    uint8_t command[SLOW_BUFFER], response[SLOW_BUFFER];
    struct terminal_t0 terminal;
    struct reader_t1 reader;
    uint8_t pps[4];

    const char *const *apdus;
    size_t count, next;
    uint8_t apdu[SLOW_BUFFER];
    bool on;

    /* What came of it. */
    size_t done;    /* commands that were answered */
    uint16_t sw[8]; /* of the first ones */
    bool kept;      /* no character of the card came late, and none was wrong */
    double largest; /* longest that the card took, as part of what it was granted */
    double settled; /* longest time behind a response, as part of the waiting time */
    size_t extensions, signs, generated, repeated;
};

void slow_card_start(struct slow_card *card, struct bench *bench,
                     const struct slow_setting *setting, const struct slow_times *times);
/* One life of the card: the bench is off before and after. */
void slow_card_run(struct slow_card *card, const char *const *apdus, size_t count);
/* Gives the bench its own boards back. */
void slow_card_end(struct slow_card *card);

/* Milliseconds of the waiting time. */
double slow_card_waiting_time(const struct slow_setting *setting);

#endif
