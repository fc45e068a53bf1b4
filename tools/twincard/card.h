/* SPDX-License-Identifier: Apache-2.0
 *
 * The card in the reader: two chips, their memory, their power. The app chip runs in this process,
 * the security chip in one of its own that is started fresh at each power-on and each reset, and
 * that lives behind the walls of sandbox.h (or in this one, with `single`).
 */
#ifndef TWINCARD_CARD_H
#define TWINCARD_CARD_H

#include "contacts.h"
#include "cos/app.h"
#include "cos/secure.h"
#include "host_card.h"
#include "link_loop.h"
#include "link_socket.h"
#include "nvm_cut.h"
#include "nvm_file.h"
#include "tracer.h"

#include <sys/types.h>

#define CARD_RESPONSE_MAX 65535U /* what a frame of the socket takes */

enum card_power {
    CARD_OFF,
    CARD_ON,      /* the security chip runs, the app chip has not started yet */
    CARD_STARTED, /* both run */
    CARD_DEAD,    /* the security chip is gone: 6F00 until the next power-on or reset */
};

struct card_options {
    const char *directory;
    bool single;
    unsigned contact; /* that has a fault: */
    enum host_fault fault;
    uint32_t cut_at; /* 0: none */
    enum host_cut_content content;
    /* Called when power was torn, in this process; does not return. */
    void (*torn)(const struct host_power *power);
};

struct card {
    struct card_options options;
    struct tracer *tracer;
    enum card_power state;
    struct host_contacts contacts;
    struct host_nvm_file app_file, secure_file;
    struct host_nvm_cut app_cut, secure_cut;
    struct host_power *power; /* NULL: no cut is wanted */
    struct cos_rom rom;
    pid_t process; /* the security process; 0: there is none */
    int link;      /* this side's end; -1: none */
    struct host_link_socket link_socket;
    struct host_link_loop loop;
    struct cos_board app_board, secure_board;
    struct host_app_chip app_chip;
    struct host_secure_chip secure_chip;
    struct cos_app app;
    struct cos_secure secure; /* in use in the process of the security chip only */
};

/* Opens the two memories. The struct must not move afterwards. False after one line to
 * message[capacity]. */
bool card_open(struct card *card, const struct card_options *options, struct tracer *tracer,
               char *message, size_t capacity);
void card_close(struct card *card);

/* Power on, or reset of a card that is on: both chips start. */
void card_power_on(struct card *card);
void card_power_off(struct card *card);

/* The ATR, powered or not. */
size_t card_atr(struct card *card, uint8_t atr[COS_ATR_MAX]);
/* One command APDU; a card that is off is powered on first. */
size_t card_command(struct card *card, uint8_t *command, size_t length,
                    uint8_t response[CARD_RESPONSE_MAX]);
/* To be called when the response is out. */
void card_settle(struct card *card);

/* The descriptor that hangs up when the security process ends, -1 if there is none; and what to
 * call then. */
int card_watch(const struct card *card);
void card_check(struct card *card);

#endif
